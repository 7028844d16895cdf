alter table "authors" add column "handle" varchar(100) collate "C";

-- latchwork:step
alter table "authors" add constraint "authors_handle_key" unique ("handle");
