drop table "notes";

-- latchwork:step
drop table "authors";
