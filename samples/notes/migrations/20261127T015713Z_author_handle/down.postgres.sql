alter table "authors" drop constraint "authors_handle_key";

-- latchwork:step
alter table "authors" drop column "handle";
