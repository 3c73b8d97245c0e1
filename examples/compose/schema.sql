create table if not exists entries (id bigserial primary key, name text not null, at timestamptz not null default now());
create table if not exists migrations (at timestamptz not null default now());
insert into migrations default values;
