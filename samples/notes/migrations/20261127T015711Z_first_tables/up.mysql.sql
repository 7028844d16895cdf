create table `authors` (
  `id` int not null auto_increment,
  `name` varchar(100) not null,
  primary key (`id`)
) engine=InnoDB character set utf8mb4 collate /*!80017 utf8mb4_0900_bin *//*M!100202 utf8mb4_nopad_bin */;

-- latchwork:step
create table `notes` (
  `id` int not null auto_increment,
  `author_id` int not null,
  `text` varchar(1000) not null,
  `created_at` datetime(3) not null default (utc_timestamp(3)),
  primary key (`id`)
) engine=InnoDB character set utf8mb4 collate /*!80017 utf8mb4_0900_bin *//*M!100202 utf8mb4_nopad_bin */;

-- latchwork:step
create index `notes_author_id_idx` on `notes` (`author_id`);

-- latchwork:step
alter table `notes` add constraint `notes_author_id_fkey` foreign key (`author_id`) references `authors` (`id`) on delete cascade;
