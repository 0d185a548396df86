-- What property tests of the fold begin with, up to their first random number.
\ir begin.sql
\o /dev/null
\ir fold_oracle.sql
\ir fold_policies.sql
\ir fold_tickets.sql
\ir fold_compare.sql
