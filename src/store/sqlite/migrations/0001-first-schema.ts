import type { Migration } from '../migrate.ts';

/**
 * The first schema.
 *
 *   device_key ─ device            one row a device: what the registry knows
 *       └─ channel (device, metric)
 *            └─ reading ─ source   (topic, unit, what the device said of itself)
 *
 * A reading repeats nothing that seldom changes: about 75 bytes a row with its two indexes. Each row stands in exactly
 * one of the three unique indexes, which is its natural key: the device's count; else the stamp; else time and value.
 * (`without rowid` on the key saved a fifth of the space and cost a sixth of the speed with 2,000 channels, and has no
 * room for the second and third key.)
 */
export const firstSchema: Migration = {
  version: 1,
  sql: `
create table device_key (
  key integer primary key,
  id text not null unique
) strict;

create table device (
  key integer primary key references device_key (key),
  mac text, mac_sent text, ip text,
  site text not null, sensor_type text not null, protocol text not null,
  topic text not null, command_topic text, registration text not null,
  first_seen integer not null, last_seen integer not null,
  epoch integer not null, last_sequence integer, interval_ms real, warm_until integer not null,
  missing integer not null, repeated integer not null, redelivered integer not null, resets integer not null
) strict;

create table channel (
  id integer primary key,
  device integer not null references device_key (key),
  metric text not null,
  unique (device, metric)
) strict;

create table source (
  id integer primary key,
  topic text not null, unit text not null, sensor_type text not null, protocol text not null,
  mac_sent text not null, ip text not null,
  unique (topic, unit, sensor_type, protocol, mac_sent, ip)
) strict;

-- kind: 0 regular, 1 requested; quality: 0 good, 1 warming, 2 uncertain-time; delay_ms: received - at
create table reading (
  id integer primary key,
  channel integer not null references channel (id),
  epoch integer not null,
  sequence integer,
  at integer not null,
  delay_ms integer not null,
  value real not null,
  source integer not null references source (id),
  kind integer not null,
  quality integer not null,
  stamp text not null
) strict;
create unique index reading_by_sequence on reading (channel, epoch, sequence) where sequence is not null;
create unique index reading_by_stamp on reading (channel, stamp) where sequence is null and stamp <> '';
create unique index reading_by_value on reading (channel, at, value) where sequence is null and stamp = '';
create index reading_by_time on reading (channel, at);

create table event (
  id integer primary key,
  device integer not null references device_key (key),
  kind text not null, at integer not null, detail text not null,
  unique (device, at, kind, detail)
) strict;
create index event_by_time on event (at);

create table alarm (
  id text primary key,
  device integer not null references device_key (key),
  site text not null, rule text not null, priority integer not null, state text not null,
  set_point real not null, raised_value real not null, peak_value real not null,
  raised_at integer not null, acknowledged_at integer, acknowledged_by text, returned_at integer
) strict;
create index alarm_open on alarm (raised_at) where state <> 'normal';
create index alarm_by_time on alarm (raised_at);

create table transition (
  id integer primary key,
  alarm text not null, device integer not null references device_key (key),
  kind text not null, from_state text not null, to_state text not null,
  at integer not null, by text not null, value real, set_point real not null, comment text not null,
  unique (alarm, at, kind, from_state)
) strict;

create table command (
  id text primary key,
  device integer not null references device_key (key),
  name text not null, seconds real, by text not null, at integer not null,
  state text not null, updated_at integer not null, detail text not null
) strict;
create index command_by_time on command (at);
create index command_by_device on command (device, at);
create index command_open on command (at) where state in ('pending', 'sent', 'delivered');

create table quarantine (
  id integer primary key,
  at integer not null, topic text not null, payload blob not null, size integer not null, reason text not null
) strict;
create index quarantine_by_time on quarantine (at);

create table counter (
  name text primary key,
  value integer not null
) strict, without rowid;
insert into counter (name, value) values ('readings', 0), ('commits', 0);

-- The table that reports of the original system read: same columns, same meaning, legacy detectors only.
create view SensorLog (id, sequence, topic, mac, value, sensortype, datereceived, comments, ip) as
select
  reading.id, reading.sequence, substr(source.topic, 1, 100), substr(source.mac_sent, 1, 17),
  cast(reading.value as integer), substr(source.sensor_type, 1, 3),
  datetime((reading.at + reading.delay_ms) / 1000, 'unixepoch'),
  case reading.kind when 1 then 'Requested reading' else 'Regular reading' end,
  substr(source.ip, 1, 15)
from reading join source on source.id = reading.source
where source.protocol = 'legacy';
`,
};
