-- What a value looks like: the checksums of identifiers, and one mark for each value.
-- None of these raises on any text, and none says more of a value than its mark. Those in SQL are not declared
-- strict: the planner takes them into the statement that calls them only as they are.

-- The two control sums of Norwegian eleven-digit numbers. The second is the bank account's too: every
-- fødselsnummer passes as an account number, so an account is what is no national id.
create or replace function sletteplikt.control_sum_1(number bigint) returns bigint
language sql immutable parallel safe
return (
    number / 10000000000 % 10 * 3 + number / 1000000000 % 10 * 7 + number / 100000000 % 10 * 6
    + number / 10000000 % 10 + number / 1000000 % 10 * 8 + number / 100000 % 10 * 9
    + number / 10000 % 10 * 4 + number / 1000 % 10 * 5 + number / 100 % 10 * 2 + number / 10 % 10
) % 11;

create or replace function sletteplikt.control_sum_2(number bigint) returns bigint
language sql immutable parallel safe
return (
    number / 10000000000 % 10 * 5 + number / 1000000000 % 10 * 4 + number / 100000000 % 10 * 3
    + number / 10000000 % 10 * 2 + number / 1000000 % 10 * 7 + number / 100000 % 10 * 6
    + number / 10000 % 10 * 5 + number / 1000 % 10 * 4 + number / 100 % 10 * 3 + number / 10 % 10 * 2
    + number % 10
) % 11;

-- Which national id eleven digits are, or null. From 2032 on the first control digit may leave a rest of 0 to 3
-- (Skatteetaten, "Nytt fødselsnummer fra 2032"). Synthetic numbers bear 80 on the month (Skatteetaten's Tenor);
-- 40 on the month is NAV's synthetic series, and the health service's H-numbers. An FH-number has no date.
create or replace function sletteplikt.national_id(digits text) returns text
language plpgsql immutable parallel safe strict
set search_path = pg_catalog, pg_temp as $$
declare
    number bigint;
    day int;
    month int;
    year int;
    last_day int;
begin
    if length(digits) <> 11 or digits !~ '^[0-9]+$' then
        return null;
    end if;
    number := digits::bigint;
    -- Cheapest first: one in eleven passes the second sum, one in three the first.
    if sletteplikt.control_sum_2(number) <> 0 or sletteplikt.control_sum_1(number) > 3 then
        return null;
    end if;
    day := number / 1000000000;
    if day >= 80 then
        return case when sletteplikt.control_sum_1(number) = 0 then 'fh_number' end;
    end if;
    month := number / 10000000 % 100;
    year := number / 100000 % 100;
    last_day := case month % 40 when 2 then case when year % 4 = 0 then 29 else 28 end
        when 4 then 30 when 6 then 30 when 9 then 30 when 11 then 30 else 31 end;
    if month % 40 not between 1 and 12 or day % 40 not between 1 and last_day then
        return null;
    end if;
    return case when month > 80 then 'synthetic_tenor' when month > 40 then 'synthetic_nav_or_h_number'
        when day > 40 then 'd_number' else 'fodselsnummer' end;
end $$;

-- Luhn's sum over digits: cards, and the old postal giro accounts.
create or replace function sletteplikt.luhn(digits text) returns boolean
language plpgsql immutable parallel safe strict
set search_path = pg_catalog, pg_temp as $$
declare
    bytes bytea := convert_to(digits, 'UTF8');
    last int := length(digits) - 1;
    total int := 0;
    digit int;
begin
    if digits !~ '^[0-9]+$' then
        return false;
    end if;
    for i in 0..last loop
        digit := get_byte(bytes, last - i) - 48;
        total := total + case when i % 2 = 0 then digit when digit > 4 then 2 * digit - 9 else 2 * digit end;
    end loop;
    return total % 10 = 0;
end $$;

create or replace function sletteplikt.is_bank_account(digits text) returns boolean
language sql immutable parallel safe
return case
    when digits !~ '^[0-9]{11}$' then false
    when left(digits, 4) = '0000' then sletteplikt.luhn(right(digits, 7))
    else sletteplikt.control_sum_2(digits::bigint) = 0
end;

-- Digits only, of an issuer's prefix and length (ISO/IEC 7812): Visa, Mastercard, American Express, Diners,
-- Discover, JCB, UnionPay, Maestro.
create or replace function sletteplikt.is_card(digits text) returns boolean
language sql immutable parallel safe
return case
    when digits !~ (
        '^(4([0-9]{12}|[0-9]{15}|[0-9]{18})|(5[1-5]|2(22[1-9]|2[3-9]|[3-6]|7[01]|720))[0-9]+|3[47][0-9]{13}'
        '|3(0[0-5]|095|[689])[0-9]+|6(011|4[4-9]|5|2)[0-9]+|35(2[89]|[3-8])[0-9]+|(50|5[6-9]|6[0-9])[0-9]+)$'
    ) then false
    when digits ~ '^(5[1-5]|2)' and length(digits) <> 16 then false
    when digits ~ '^3[068]' and length(digits) not between 14 and 19 then false
    when digits ~ '^35' and length(digits) not between 16 and 19 then false
    when length(digits) not between 13 and 19 then false
    else sletteplikt.luhn(digits)
end;

-- The length of each country's IBAN (SWIFT's register).
create or replace function sletteplikt.iban_length(country text) returns int
language sql immutable parallel safe
return (substring(
    ' AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29'
    ' ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20'
    ' LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29'
    ' PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
    from ' ' || country || '([0-9]{2})'
))::int;

-- Without blanks, in capitals.
create or replace function sletteplikt.is_iban(value text) returns boolean
language plpgsql immutable parallel safe strict
set search_path = pg_catalog, pg_temp as $$
declare
    turned text;
    letter text;
begin
    if value !~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'
        or length(value) is distinct from sletteplikt.iban_length(left(value, 2)) then
        return false;
    end if;
    turned := substr(value, 5) || left(value, 4);
    foreach letter in array regexp_split_to_array(regexp_replace(turned, '[0-9]+', '', 'g'), '') loop
        turned := replace(turned, letter, (ascii(letter) - 55)::text);
    end loop;
    return turned::numeric % 97 = 1;
end $$;

-- Common given names, Norwegian and international, in small letters: what tells `Kari Olsen` from `Gold Plan`.
create or replace function sletteplikt.is_given_name(word text) returns boolean
language sql immutable parallel safe
return word = any (string_to_array(
    'aage aaron abdul adam adrian agnes ahmed aisha albert alex alexander alexandra alexandre ali alice alma amalie'
    ' amanda amina amy ana anders andrea andreas andrew angela anita anja ann anna annabell anne annette anthony'
    ' anton antonio arild arne arnt arthur arve asbjørn astrid aud axel barbara beate benedicte benjamin bente'
    ' berit betty birgit bjarne bjørg bjørn bodil borghild brian brit britt brynjar camilla carina carl carlos'
    ' carol caroline catherine cathrine cato cecilie charles charlotte christian christina christine christopher'
    ' cindy claire conor cynthia dag dagny daniel daniela david deborah dennis diana diane donald donna dorothy'
    ' ebba edith edvard edward egil eileen einar eirik eivind elena elias elin eline elisabeth elise elizabeth ella'
    ' ellen elsa else emil emilie emily emma endre eric erica erik erika erlend erling ernst espen esther eva'
    ' evelyn eva even fatima felix finn francis frank fred fredrik frida frode gabriel gard gary geir george'
    ' gerd gina gisle gloria grete grethe gro gudrun guillermo gunhild gunn gunnar guri gustav halvard halvor'
    ' hanna hannah hanne hans harald harry hassan hedda heidi heidrun helen helena helene helga helge henning'
    ' henriette henrik henry hilda hilde håkon håvard ibrahim ida ingebjørg ingeborg inger ingrid ingunn ingvild'
    ' irene iris isabel isabella ivan ivar iver jack jacob jakob james jan jane janet janne jason jean jeanette'
    ' jeff jeffrey jennifer jenny jens jessica jill joachim joakim joan joe johan johanna johanne johannes john'
    ' johnny jon jonas jorunn jose josef josefine joseph joshua joyce juan judith julia julian julie jørgen'
    ' jørn kai kaja karen kari karianne karin karina karl karoline kate katherine kathleen kathrine katrine'
    ' kelly ken kenneth kevin kim kirsten kjell kjersti kjetil knut kristian kristin kristina kristine kristoffer'
    ' kåre lars larry laura lea leif lena lene leo leon leonard liam lilly linda line linn linnea lisa lise liv'
    ' lone louise lucas lucia lucy ludvig luis lukas magne magnhild magnus maja malin marcus margaret margrethe'
    ' maria mariam marianne marie marilyn marit marius mark markus marta marte martha martin martine mary mathias'
    ' mathilde mats matthew max may maya megan melissa merete merethe mette mia michael michelle miguel mike mikkel'
    ' miriam mohamed mohammad mohammed mona monica morten muhammad mustafa nancy natalie nicholas nicole nikolai'
    ' nils nina nora norah odd oddvar ola olaf olav ole olga oliver olivia omar oscar oskar otto pamela patricia'
    ' patrick paul paula pavel pedro per peter petra petter philip philippe pål rachel ragnar ragnhild rakel'
    ' ralph randi rebecca rebekka reidar reidun renate rita robert roberto roger roland rolf ronald rosa rose roy'
    ' ruben runar rune ruth ryan sam samuel sander sandra sara sarah scott sebastian selma sharon sigrid sigurd'
    ' silje simen simon siri siv sofia sofie solveig sonja sophia sophie stein steinar stephanie stephen steve'
    ' steven stian stig stine sunniva susan susanne svein sverre synnøve sébastien tanja terje teresa thea'
    ' theodor theresa thomas thor thorbjørn tim timothy tiril toby tobias tom tomas tommy tone tor torbjørn tord'
    ' tore torgeir torill torstein torunn tove trine trond trude trygve turid unni vanessa vebjørn vegard veronica'
    ' vetle vibeke victor victoria vidar vigdis viktor vilde vincent virginia walter wenche william wilma yasmin'
    ' yngve yusuf yvonne zara øystein øyvind åge åse åshild',
    ' '
));

-- The marks below are the scan's own words (`retention.detection`). Cheap looks come before dear ones: of the
-- string functions, those that count characters (translate) are dearer than an anchored expression.

-- The mark of digits alone, seven or more.
create or replace function sletteplikt.digits_mark(digits text) returns text
language plpgsql immutable parallel safe strict
set search_path = pg_catalog, pg_temp as $$
declare
    places int := octet_length(digits);
begin
    if places = 11 then
        return coalesce(
            sletteplikt.national_id(digits),
            case when sletteplikt.is_bank_account(digits) then 'account' else 'digits_11' end
        );
    elsif places = 8 then
        return case when digits ~ '^(19|20)[0-9]{2}(0[1-9]|1[0-2])([0-2][0-9]|3[01])$' then 'date'
            when digits like '4%' then 'mobile_4' when digits like '9%' then 'mobile_9'
            when digits ~ '^[235-7]' then 'landline' else 'digits' end;
    elsif places = 10 then
        -- A number's leading nought is lost where it is kept as a number.
        return case when sletteplikt.national_id('0' || digits) is not null then 'national_id_10'
            when digits ~ '^47[2-9]' then 'phone_47' else 'digits_10' end;
    elsif places = 12 and digits ~ '^0047[2-9]' then
        return 'phone';
    elsif places between 13 and 19 then
        return case when sletteplikt.is_card(digits) then 'card' when digits ~ '^[3-6]' then 'digits_card'
            else 'digits' end;
    end if;
    return 'digits';
end $$;

-- The mark of digits with separators between them.
create or replace function sletteplikt.number_mark(value text) returns text
language plpgsql immutable parallel safe strict
set search_path = pg_catalog, pg_temp as $$
declare
    digits text;
    places int;
begin
    if value ~ '^[+-]?[0-9]+\.[0-9]*$' then
        return 'number';
    elsif value ~ '^[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?$' then
        return case
            when value ~ '^(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}\M' then 'ipv4'
            else 'other' end;
    elsif value ~ '^([12][0-9]{3}[-/. ][01]?[0-9][-/. ][0-3]?[0-9]|[0-3]?[0-9][-/. ][0-3]?[0-9][-/. ][12][0-9]{3})\M' then
        return 'date';
    end if;
    digits := translate(value, '+-.()/ ', '');
    places := octet_length(digits);
    if places < 7 then
        return 'number';
    elsif value ~ '^\+' then
        return case when places between 8 and 15 and digits !~ '^0' then 'phone' else 'other' end;
    elsif places = 11 and value ~ '^[0-9]{6}[ -][0-9]{5}$' then
        return coalesce(sletteplikt.national_id(digits), 'digits_11');
    elsif places = 11 and value ~ '^[0-9]{4}([. ])[0-9]{2}\1[0-9]{5}$' then
        return case when sletteplikt.is_bank_account(digits) then 'account_grouped' else 'digits_11' end;
    elsif places between 13 and 19 and value ~ '^[0-9]{4}[ -][0-9]{4,6}[ -]' and sletteplikt.is_card(digits) then
        return 'card';
    elsif digits ~ '^0047[2-9][0-9]{7}$' or places in (8, 10)
        and value ~ '^(\(?47\)? )?([2-9][0-9]( [0-9]{2}){3}|[489][0-9]{2} [0-9]{2} [0-9]{3})$' then
        return 'phone';
    elsif places <= 14 and value ~ '^(00?)?[(]?[0-9]{1,5}[)]?([ ./-]{1,2}[(]?[0-9]{2,5}[)]?){1,4}$' then
        return 'phone_shaped';
    end if;
    return 'other';
end $$;

-- The mark of a value without blanks, which is no number.
create or replace function sletteplikt.word_mark(value text) returns text
language plpgsql immutable parallel safe strict
set search_path = pg_catalog, pg_temp as $$
declare
    places int := octet_length(value);
begin
    if value !~ '[0-9]' then
        return case
            when value ~ '^[[:alpha:].''’-]+$' then case
                when sletteplikt.is_given_name(lower(value)) then 'given_name'
                when value = lower(value) then 'word_small' when value = upper(value) then 'word_capitals'
                when value ~ '^.[^A-Z]+$' then 'word' else 'word_mixed' end
            when value ~* '(^|_)(union_member|trade_union|fagforening|fagforbund)' then 'special'
            when value ~* '^[a-z][a-z0-9+.-]*://' then sletteplikt.url_mark(value)
            when value ~ '^::' then 'ipv6'
            when value ~ '[*•#xX]{4}' and value ~ '^[*xX•# -]+$' then 'card_masked'
            else 'code' end;
    elsif value ~ '^[12][0-9]{3}-[01][0-9]-[0-3][0-9]($|T[0-9])' then
        return 'date';
    elsif places = 36 and value ~ '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$' then
        return 'uuid';
    elsif position('://' in value) > 0 and value ~* '^[a-z][a-z0-9+.-]*://' then
        return sletteplikt.url_mark(value);
    elsif places between 15 and 34 and value ~ '^[A-Z]{2}[0-9]{2}' and sletteplikt.is_iban(value) then
        return 'iban';
    elsif position(':' in value) > 0 and value ~ '^[0-9a-fA-F:.]+(%[a-z0-9]+)?(/[0-9]+)?$' then
        return case
            when value ~ '^([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\M' or position('::' in value) > 0 then 'ipv6'
            when value ~ '^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$' then 'mac' else 'other' end;
    elsif places between 12 and 31 and value ~ '[*•#xX]{4}-?[0-9]{2,4}$' and value ~ '^[0-9*xX•#-]+$' then
        return 'card_masked';
    elsif places in (32, 40, 64) and value ~ '^([0-9a-f]+|[0-9A-F]+)$' or places >= 20 and value ~ '^[0-9A-Za-z+/]+={1,2}$' then
        return 'hash';
    end if;
    return case when places >= 16 and value ~ '^[0-9A-Za-z_.:=+/-]+$' then 'token' else 'code' end;
end $$;

create or replace function sletteplikt.url_mark(value text) returns text
language sql immutable parallel safe
return case
    when value ~* '^(s3|gs|gcs|az|abfss?|wasbs?|file|sftp|ftp)://' then 'object_url'
    when value ~* '/(recordings?|opptak|voicemails?|attachments?|uploads?|documents?|media|scans?)/' then 'object_url'
    when value ~* '\.(mp3|mp4|wav|ogg|webm|m4a|mov|avi|flac|pdf|docx?|xlsx?|p7m|zip|tiff?|heic)([?#]|$)' then 'object_url'
    else 'url'
end;

-- The mark of a value with blanks in it, which is no number.
create or replace function sletteplikt.text_mark(value text) returns text
language plpgsql immutable parallel safe strict
set search_path = pg_catalog, pg_temp as $$
declare
    places int := octet_length(value);
begin
    if value ~ '[0-9]' then
        if value ~ '^[12][0-9]{3}-[01][0-9]-[0-3][0-9] [0-9]' then
            return 'date';
        end if;
        if value ~ '[0-9]{5}' and value ~ '(^|[^[:alnum:]])[0-9]{6} ?[0-9]{5}($|[^[:alnum:]])' and exists (
            select from regexp_matches(value, '(?<![[:alnum:]])([0-9]{6}) ?([0-9]{5})(?![[:alnum:]])', 'g') as part
            where sletteplikt.national_id(part[1] || part[2]) is not null
        ) then
            return 'text_national_id';
        end if;
        -- At least seven digits, with at most one sign between two of them.
        if value ~ '[0-9][ .-]?[0-9][ .-]?[0-9][ ).-]*[0-9][ .-]?[0-9][ .-]?[0-9][ .-]?[0-9]' then
            if value ~ '^[A-Z]{2}[0-9]{2} ' and sletteplikt.is_iban(replace(value, ' ', '')) then
                return 'iban';
            elsif places <= 31 and value ~ '[*•#xX]{4}' and value ~ '^[0-9*xX•# -]+$' then
                return 'card_masked';
            elsif value ~* '^(tel|tlf|phone|mob|mobil|whatsapp|sms)\.?:? ?\+?[0-9 ()-]{8,}$' then
                return 'phone';
            elsif value ~ (
                '(^|[^[:alnum:]+])((\+|00)[1-9][0-9 ]{7,14}[0-9]|[2-9][0-9]( [0-9]{2}){3}|[489][0-9]{2} [0-9]{2} [0-9]{3}'
                '|\(?[0-9]{3}\)?[ -][0-9]{3}-[0-9]{4}|[49][0-9]{7})($|[^[:alnum:]])'
            ) then
                return 'text_phone';
            elsif value ~ '(^|[^[:alnum:]])[0-9]{4}[. ][0-9]{2}[. ][0-9]{5}($|[^[:alnum:]])' then
                return 'text_account';
            end if;
        elsif places <= 31 and value ~ '[*•#xX]{4}' and value ~ '^[0-9*xX•# -]+$' then
            return 'card_masked';
        end if;
        if places <= 120 and (
            value ~ '^[A-ZÀ-ÞŠŽŁ][^0-9,;:]+ [0-9]{1,4} ?[A-Za-z]?($|,| [HULK]?[0-9]{4})'
            and value !~* '(version|nivå|level|plan|phase|steg|step|uke|week|day|dag|case|sak|order|ordre|faktura|invoice|product|vare|nr\.?|number|pro|gold|chrome|safari|firefox|windows|mac os x?) [0-9]'
            or value ~ '^[0-9]' and value ~*
            '^[0-9]+[a-z]?,? [^0-9]+ (street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|way|court|ct|place|pl|square|sq|terrace|parkway|pkwy|highway|hwy|loop|manor)\M'
        ) then
            return 'address';
        end if;
        if position(', ' in value) > 0 and value ~ ', [0-9]{4} [A-ZÆØÅ]'
            and value ~ '(gata|gate|gaten|veien|vei|vegen|veg|stien|svingen|allé|plass) [0-9]+ ?[A-Z]?,' then
            return 'text_address';
        end if;
    elsif places <= 60 and (
        sletteplikt.is_given_name(lower(split_part(replace(value, '-', ' '), ' ', 1)))
        and value ~ '^[^,;:()!?]+ [A-ZÀ-ÖØ-ÞŠŽŁ][^ ]*$'
        or position(', ' in value) > 0 and value ~ '^[^, ]+, [^,]+$'
        and sletteplikt.is_given_name(lower(split_part(split_part(value, ', ', 2), ' ', 1)))
    ) then
        return 'full_name';
    end if;
    return case when places > 40 or value ~ ' [^ ]+ [^ ]+ [^ ]+ [^ ]+ ' then 'text' else 'phrase' end;
end $$;

-- The mark of a value: one word, the most telling of what it looks like.
create or replace function sletteplikt.value_mark(value text) returns text
language plpgsql immutable parallel safe strict
set search_path = pg_catalog, pg_temp as $$
begin
    if value ~ '^[0-9+.()/ -]+$' then
        return case when value !~ '[0-9]' then 'other'
            when value ~ '[^0-9]' then sletteplikt.number_mark(value)
            when octet_length(value) < 7 then 'digits_' || octet_length(value)
            else sletteplikt.digits_mark(value) end;
    elsif position('@' in value) > 0 and value ~ '[[:alnum:]_%+-]@[[:alnum:]]' then
        if value ~ '^(mailto:)?[^@[:space:]<>"(),;:/]+@[^@[:space:]<>"(),;:/]+\.[[:alpha:]]+$'
            or value ~ '^[^@<>]*<[^@[:space:]<>]+@[^@[:space:]<>]+>$' then
            return 'email';
        elsif value ~ '[[:alnum:]._%+-]@[[:alnum:]-]+(\.[[:alnum:]-]+)*\.[[:alpha:]]{2,}' then
            return 'text_email';
        end if;
    elsif value ~ '^[{[]' and value ~ '^(\{\s*("[^"]*"\s*:.*)?\}|\[.*\])\s*$' then
        return 'json';
    end if;
    return case when position(' ' in value) = 0 then sletteplikt.word_mark(value) else sletteplikt.text_mark(value) end;
end $$;

-- The object that a text holds, or null.
create or replace function sletteplikt.as_json(value text) returns jsonb
language plpgsql immutable strict
set search_path = pg_catalog, pg_temp as $$
begin
    return value::jsonb;
exception
    when data_exception or program_limit_exceeded then
        return null;
end $$;

-- A document's field by the words of its name, as `retention.detection.names.words_of` says those of a column.
create or replace function sletteplikt.words_of(name text) returns text
language sql immutable parallel safe
return btrim(regexp_replace(
    lower(regexp_replace(name, '([a-zæøå0-9])([A-ZÆØÅ])', '\1_\2', 'g')), '[^a-z0-9æøå]+', '_', 'g'
), '_');

revoke all on all functions in schema sletteplikt from public;
grant execute on all functions in schema sletteplikt to retention_reader, retention_purger;

set local role retention_owner;

-- Takes the outcome of a scan in place of the columns' former one: `columns` as [{source_schema, source_table,
-- column_name, sampled, unread}], `detected` as [{source_schema, source_table, column_name, place, kind, pattern,
-- confidence, basis, matched}]. A column that is no more is forgotten.
create or replace function ledger.record_detections(columns jsonb, detected jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    -- One at a time: two that run at once would mix their outcomes.
    lock table ledger.scanned_columns in share row exclusive mode;
    delete from ledger.scanned_columns as known
    using (
        select k.source_schema, k.source_table, k.column_name
        from ledger.scanned_columns as k
        left join jsonb_to_recordset(columns) as c (source_schema text, source_table text, column_name text)
            using (source_schema, source_table, column_name)
        where c.column_name is not null or not exists (
            select from pg_attribute as a
            inner join pg_class as r on a.attrelid = r.oid
            inner join pg_namespace as n on r.relnamespace = n.oid
            where
                n.nspname = k.source_schema and r.relname = k.source_table and a.attname = k.column_name
                and a.attnum > 0 and not a.attisdropped
        )
    ) as gone
    where
        known.source_schema = gone.source_schema and known.source_table = gone.source_table
        and known.column_name = gone.column_name;
    insert into ledger.scanned_columns (source_schema, source_table, column_name, sampled, unread)
    select c.source_schema, c.source_table, c.column_name, c.sampled, c.unread
    from jsonb_to_recordset(columns) as c (
        source_schema text, source_table text, column_name text, sampled bigint, unread text
    );
    insert into ledger.detections (
        source_schema, source_table, column_name, place, kind, pattern, confidence, basis, matched
    )
    select f.source_schema, f.source_table, f.column_name, f.place, f.kind, f.pattern, f.confidence, f.basis, f.matched
    from jsonb_to_recordset(detected) as f (
        source_schema text, source_table text, column_name text, place smallint, kind text, pattern text,
        confidence text, basis text, matched bigint
    );
end
$$;

grant execute on function ledger.record_detections to retention_classifier;

reset role;
