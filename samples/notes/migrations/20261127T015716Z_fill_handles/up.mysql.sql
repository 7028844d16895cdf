update `authors` set `handle` = concat(lower(`name`), '-', `id`) where `handle` is null;
