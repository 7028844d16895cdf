alter table `authors` drop index `authors_handle_key`;

-- latchwork:step
alter table `authors` drop column `handle`;
