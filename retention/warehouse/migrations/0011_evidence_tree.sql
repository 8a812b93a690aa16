-- The tree over the evidence: which number each entry has, the hashes of its complete subtrees, and which
-- heads of it were signed and exported.
set local role retention_owner;

create table ledger.log (
    only_row boolean primary key default true check (only_row),
    origin text not null check (origin ~ '^[!-*,-~]+$')
);
insert into ledger.log (origin) values ('sletteplikt/' || gen_random_uuid());
comment on table ledger.log is 'The name of this ledger in its checkpoints: of this one and no other.';

create table ledger.unsequenced (entry_id bigint primary key references ledger.entries);
insert into ledger.unsequenced (entry_id) select entry_id from ledger.entries;
comment on table ledger.unsequenced is
'Entries that have no number yet. Whoever writes evidence adds a row here and waits for nobody.';

create table ledger.leaves (
    leaf_index bigint primary key check (leaf_index >= 0),
    entry_id bigint not null unique references ledger.entries
);
comment on table ledger.leaves is 'The number of each entry in the tree (RFC 6962), from 0 and without gaps.';

create table ledger.tree_nodes (
    level smallint not null check (level between 0 and 62),
    position bigint not null check (position >= 0),
    hash bytea not null check (octet_length(hash) = 32),
    primary key (level, position)
);
comment on table ledger.tree_nodes is
'The hash of every complete subtree: level 0 are the leaves. Any root and any proof is made of a few of them.';

create table ledger.checkpoints (
    size bigint primary key check (size > 0),
    root bytea not null check (octet_length(root) = 32),
    note text not null,
    exported_at timestamptz not null default now()
);
comment on table ledger.checkpoints is 'The signed heads of the tree that were exported, as they were exported.';

reset role;

grant select on ledger.log, ledger.unsequenced, ledger.leaves, ledger.tree_nodes, ledger.checkpoints
to retention_purger;
