{{ config(indexes=[{'columns': ['link_hash', 'subject_table']}]) }}
-- The e-mail addresses and phone numbers of persons, as salted hashes, each with whose it is.
select distinct
    qualified as subject_table,
    unnest(string_to_array(link_hashes, ' ')) as link_hash,
    subject_id
from {{ ref('int_subjects') }}
