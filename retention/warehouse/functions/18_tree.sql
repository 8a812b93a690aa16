-- The Merkle tree over the evidence (RFC 6962): numbering, the hashes of subtrees, roots, exported heads.
set local role retention_owner;

create or replace function ledger.node_hash(lesser bytea, greater bytea) returns bytea
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return sha256('\x01'::bytea || lesser || greater);

-- The root over leaf hashes in their order. A last node without a neighbour goes up unchanged, which is
-- what RFC 6962 (2.1) says by splitting at the largest power of two.
create or replace function ledger.merkle_root(leaf_hashes bytea[]) returns bytea
language plpgsql immutable strict parallel safe
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    hashes bytea[] := leaf_hashes;
begin
    while cardinality(hashes) > 1 loop
        hashes := array(
            select case
                when count(*) = 2 then sha256('\x01'::bytea || string_agg(n.hash, ''::bytea order by n.place))
                else string_agg(n.hash, ''::bytea)
            end
            from unnest(hashes) with ordinality as n (hash, place)
            group by (n.place - 1) / 2
            order by (n.place - 1) / 2
        );
    end loop;
    return coalesce(hashes[1], sha256(''::bytea));
end
$$;

-- Held while entries are numbered, to the end of the transaction.
create or replace function ledger.sequencer_lock() returns bigint
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return 1373142533;

-- Adds the hashes of the leaves from index `size_before` on, and of the subtrees that became complete with
-- them; returns the size of the tree.
create or replace function ledger.grow_tree(size_before bigint) returns bigint
language plpgsql
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    size_after bigint;
    level_built integer := 0;
begin
    insert into ledger.tree_nodes (level, position, hash)
    select 0, l.leaf_index, e.leaf_hash
    from ledger.leaves as l inner join ledger.entries as e on l.entry_id = e.entry_id
    where l.leaf_index >= size_before;
    select coalesce(max(l.leaf_index) + 1, 0) into size_after from ledger.leaves as l;
    -- Where no subtree of a level became complete, none above it did.
    while (size_before >> (level_built + 1)) < (size_after >> (level_built + 1)) loop
        insert into ledger.tree_nodes (level, position, hash)
        select level_built + 1, made.position, ledger.node_hash(lesser.hash, greater.hash)
        from generate_series(size_before >> (level_built + 1), (size_after >> (level_built + 1)) - 1)
            as made (position)
        inner join ledger.tree_nodes as lesser
            on lesser.level = level_built and lesser.position = made.position * 2
        inner join ledger.tree_nodes as greater
            on greater.level = level_built and greater.position = made.position * 2 + 1;
        level_built := level_built + 1;
    end loop;
    return size_after;
end
$$;

-- Held by a session while it exports a checkpoint.
create or replace function ledger.publisher_lock() returns bigint
language sql immutable parallel safe
set search_path = pg_catalog, ledger, pg_temp
return 1373142534;

-- Numbers what was committed and had no number, adds the hashes of the subtrees that became complete, and
-- returns the size of the tree. Whoever writes evidence never waits for this.
create or replace function ledger.sequence_entries() returns bigint
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    size_before bigint;
begin
    perform pg_advisory_xact_lock(ledger.sequencer_lock());
    select coalesce(max(l.leaf_index) + 1, 0) into size_before from ledger.leaves as l;
    with taken as (
        delete from ledger.unsequenced returning entry_id
    )
    insert into ledger.leaves (leaf_index, entry_id)
    select size_before - 1 + row_number() over (order by t.entry_id), t.entry_id from taken as t;
    return ledger.grow_tree(size_before);
end
$$;

-- How many entries have a number.
create or replace function ledger.tree_size() returns bigint
language sql stable
set search_path = pg_catalog, ledger, pg_temp
return coalesce((select max(leaf_index) + 1 from ledger.leaves), 0);

-- The root over the first `size` entries; null where there are fewer.
create or replace function ledger.tree_root(size bigint) returns bytea
language plpgsql stable strict
set search_path = pg_catalog, ledger, pg_temp as $$
declare
    root bytea;
    subtree bytea;
begin
    if size > ledger.tree_size() then
        return null;
    end if;
    if size = 0 then
        return sha256(''::bytea);
    end if;
    for level_read in 0..62 loop
        if (size >> level_read) & 1 = 1 then
            select n.hash into strict subtree
            from ledger.tree_nodes as n
            where n.level = level_read and n.position = (size >> level_read) - 1;
            root := coalesce(ledger.node_hash(subtree, root), subtree);
        end if;
    end loop;
    return root;
end
$$;

-- Remembers a head that was signed and exported. Only one that is the tree's own.
create or replace function ledger.record_checkpoint(size bigint, root bytea, note text) returns void
language plpgsql security definer
set search_path = pg_catalog, ledger, pg_temp as $$
begin
    if ledger.tree_root(record_checkpoint.size) is distinct from record_checkpoint.root then
        raise exception using errcode = 'SL003', message = 'the checkpoint is not one of this ledger';
    end if;
    insert into ledger.checkpoints (size, root, note)
    values (record_checkpoint.size, record_checkpoint.root, record_checkpoint.note)
    on conflict do nothing;
end
$$;

create or replace trigger leaves_are_append_only
before update or delete or truncate on ledger.leaves
for each statement execute function ledger.refuse_change();

create or replace trigger nodes_are_append_only
before update or delete or truncate on ledger.tree_nodes
for each statement execute function ledger.refuse_change();

create or replace trigger checkpoints_are_append_only
before update or delete or truncate on ledger.checkpoints
for each statement execute function ledger.refuse_change();

grant execute on function ledger.node_hash, ledger.merkle_root, ledger.tree_size, ledger.tree_root
to retention_reader, retention_purger;
grant execute on function ledger.publisher_lock, ledger.sequence_entries, ledger.record_checkpoint to retention_purger;

reset role;
