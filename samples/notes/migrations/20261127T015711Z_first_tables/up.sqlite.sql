create table "authors" (
  "id" INTEGER not null constraint "authors_pkey" primary key autoincrement,
  "name" VARCHAR(100) not null
);

-- latchwork:step
create table "notes" (
  "id" INTEGER not null constraint "notes_pkey" primary key autoincrement,
  "author_id" INTEGER not null,
  "text" VARCHAR(1000) not null,
  "created_at" TIMESTAMP_TEXT not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  constraint "notes_author_id_fkey" foreign key ("author_id") references "authors" ("id") on delete cascade
);

-- latchwork:step
create index "notes_author_id_idx" on "notes" ("author_id");
