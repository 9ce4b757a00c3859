import type { DatabaseSync, StatementSync } from 'node:sqlite';

const deviceColumns = [
  ['key', 'mac', 'mac_sent', 'ip', 'site', 'sensor_type', 'protocol', 'topic', 'command_topic'],
  ['registration', 'first_seen', 'last_seen', 'epoch', 'last_sequence', 'interval_ms', 'warm_until'],
  ['missing', 'repeated', 'redelivered', 'resets'],
].flat();

const alarmColumns = [
  ['id', 'device', 'site', 'rule', 'priority', 'state', 'set_point', 'raised_value', 'peak_value'],
  ['raised_at', 'acknowledged_at', 'acknowledged_by', 'returned_at'],
].flat();

const commandColumns = [
  ['id', 'device', 'name', 'seconds', 'by', 'at', 'state', 'updated_at', 'detail'],
].flat();

const readingColumns = [
  ['channel', 'epoch', 'sequence', 'at', 'delay_ms', 'value', 'source', 'kind', 'quality', 'stamp'],
].flat();

const transitionColumns = [
  ['alarm', 'device', 'kind', 'from_state', 'to_state', 'at', 'by', 'value', 'set_point', 'comment'],
].flat();

/** The statements of a commit. Parameters stand in the order of the columns. */
export interface Writes {
  readonly device: StatementSync;
  readonly reading: StatementSync;
  readonly event: StatementSync;
  readonly alarm: StatementSync;
  readonly transition: StatementSync;
  readonly command: StatementSync;
  readonly sameQuarantined: StatementSync;
  readonly quarantined: StatementSync;
  /** Parameter: how many may stay. */
  readonly trimQuarantine: StatementSync;
  /** Parameters: what to add, the counter's name. */
  readonly count: StatementSync;
}

/** Prepares all statements that write, once for the life of the database. */
export function prepareWrites(database: DatabaseSync): Writes {
  const statement = (sql: string): StatementSync => database.prepare(sql);
  return {
    device: statement(upsert('device', deviceColumns)),
    reading: statement(insert('reading', readingColumns)),
    event: statement(insert('event', ['device', 'kind', 'at', 'detail'])),
    alarm: statement(upsert('alarm', alarmColumns)),
    transition: statement(insert('transition', transitionColumns)),
    command: statement(upsert('command', commandColumns)),
    sameQuarantined: statement('select 1 from quarantine where at = ? and topic = ? and payload = ?'),
    quarantined: statement(insert('quarantine', ['at', 'topic', 'payload', 'size', 'reason'])),
    trimQuarantine: statement(
      'delete from quarantine where id <= (select max(id) from quarantine) - cast(? as integer)',
    ),
    count: statement('update counter set value = value + ? where name = ?'),
  };
}

/** Inserts a row, or leaves alone the one that is there by any unique key. */
function insert(table: string, columns: readonly string[]): string {
  return `insert into "${table}" (${columns.join()}) values (${marks(columns)}) on conflict do nothing`;
}

/** Inserts a row, or replaces what the one with the same first column holds. */
function upsert(table: string, columns: readonly string[]): string {
  const [key, ...rest] = columns;
  const changes = rest.map((column) => `${column} = excluded.${column}`).join();
  return `insert into "${table}" (${columns.join()}) values (${marks(columns)}) on conflict (${key}) do update set ${changes}`;
}

function marks(columns: readonly string[]): string {
  return columns.map(() => '?').join();
}
