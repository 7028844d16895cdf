update "authors" set "handle" = lower("name") || '-' || "id" where "handle" is null;
