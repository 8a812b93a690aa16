-- One row: the as-of date of this classification. The only model with a clock. Facts that stand whatever the policy
-- says read it here and not with the policy (int_clock), so that another policy is tried without building them anew.
select '{{ var("as_of_date") }}'::date as as_of
