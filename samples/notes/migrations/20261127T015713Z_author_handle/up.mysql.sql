alter table `authors` add column `handle` varchar(100);

-- latchwork:step
alter table `authors` add unique index `authors_handle_key` (`handle`);
