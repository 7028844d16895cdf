alter table "authors" add column "handle" VARCHAR(100);

-- latchwork:step
create unique index "authors_handle_key" on "authors" ("handle");
