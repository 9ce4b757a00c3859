import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { DeviceId } from '#model';
import { readingStoreContract } from '../reading-store.contract.ts';
import { batchOf, deviceOf, readingOf } from '../reading-store.samples.ts';
import { migrate } from './migrate.ts';
import { firstSchema } from './migrations/0001-first-schema.ts';
import { openSqliteStore, type SqliteStoreOptions } from './open.ts';
import type { SqliteStore } from './sqlite-store.ts';

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'davylamp-store-'));
  readonly file = join(this.path, 'readings.db');

  open(options: Partial<SqliteStoreOptions> = {}): SqliteStore {
    return openSqliteStore({ file: this.file, ...options });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

readingStoreContract('sqlite', async () => {
  const folder = new Folder();
  let store = folder.open();
  return {
    get store() {
      return store;
    },
    async reopen() {
      store.close();
      store = folder.open();
    },
    async [Symbol.asyncDispose]() {
      store.close();
      folder[Symbol.dispose]();
    },
  };
});

const unusable = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Error && 'code' in error);
  assert.equal(error.code, 'STORE_UNUSABLE');
  assert.match(error.message, pattern);
  assert.doesNotMatch(error.message, /\n/);
  return true;
};

test('the files are for their owner alone', () => {
  using folder = new Folder();
  using store = folder.open();
  store.commit(batchOf({ readings: [readingOf(1)] }));
  for (const suffix of ['', '-wal', '-shm', '.lock']) {
    assert.equal(statSync(folder.file + suffix).mode & 0o777, 0o600, suffix);
  }
});

test('a file that cannot be written is named with the reason', () => {
  using folder = new Folder();
  const cases: readonly [string, RegExp][] = [
    [join(folder.path, 'none', 'x.db'), /none\/x\.db: its folder does not exist; create it/],
    [folder.path, /it is a folder; name a file in it/],
  ];
  for (const [file, message] of cases) {
    assert.throws(() => openSqliteStore({ file }), { code: 'FILE_UNWRITABLE', message });
  }
});

test('a file that is no database, or another program’s, is refused and left as it is', () => {
  using folder = new Folder();
  writeFileSync(folder.file, 'dear diary '.repeat(1_000));
  assert.throws(() => folder.open(), unusable(/readings\.db: .*not a database; choose another file/));
  assert.equal(statSync(folder.file).size, 11_000);
  rmSync(folder.file);
  const other = new DatabaseSync(folder.file);
  other.exec('create table invoice (id)');
  other.close();
  assert.throws(() => folder.open(), unusable(/another program; choose another file/));
});

test('a newer schema is refused', () => {
  using folder = new Folder();
  folder.open().close();
  const database = new DatabaseSync(folder.file);
  database.exec('pragma user_version = 999');
  database.close();
  assert.throws(() => folder.open(), unusable(/schema 999 is newer than this Davylamp's \d+; update/));
});

test('a migration that fails leaves the schema before it', () => {
  using folder = new Folder();
  const database = new DatabaseSync(folder.file);
  const broken = { version: 2, sql: 'create table later (id); insert into nowhere values (1)' };
  assert.throws(() => migrate(database, folder.file, [firstSchema, broken]), /nowhere/);
  assert.equal(database.prepare('pragma user_version').get()?.['user_version'], 1);
  assert.equal(database.prepare("select 1 from sqlite_master where name = 'later'").get(), undefined);
  const repaired = { version: 2, sql: 'create table later (id)' };
  migrate(database, folder.file, [firstSchema, repaired]);
  migrate(database, folder.file, [firstSchema, repaired]);
  assert.equal(database.prepare('pragma user_version').get()?.['user_version'], 2);
  database.close();
});

test('only one process has the store, by whatever path, until it closes it', () => {
  using folder = new Folder();
  const link = join(folder.path, 'link.db');
  symlinkSync(folder.file, link);
  const store = folder.open();
  assert.throws(() => folder.open(), unusable(/another Davylamp uses it; stop that one/));
  assert.throws(() => openSqliteStore({ file: link }), unusable(/another Davylamp uses it/));
  const door = new URL('open.ts', import.meta.url).href;
  const script = `import { openSqliteStore } from ${JSON.stringify(door)};
    openSqliteStore({ file: process.argv[1] });`;
  const arguments_ = ['--conditions=source', '--input-type=module', '-e', script, folder.file];
  const refused = spawnSync(process.execPath, arguments_, { encoding: 'utf8' });
  assert.match(refused.stderr, /STORE_UNUSABLE/);
  store.close();
  store.close();
  const taken = spawnSync(process.execPath, arguments_, { encoding: 'utf8' });
  assert.equal(taken.status, 0, taken.stderr);
  folder.open().close();
});

test('a killed process leaves its commits, and no lock', async () => {
  using folder = new Folder();
  const door = new URL('open.ts', import.meta.url).href;
  const samples = new URL('../reading-store.samples.ts', import.meta.url).href;
  const script = `import { openSqliteStore } from ${JSON.stringify(door)};
    import { batchOf, readingOf } from ${JSON.stringify(samples)};
    import { writeSync } from 'node:fs';
    const store = openSqliteStore({ file: process.argv[1] });
    for (let n = 1; ; n++) { store.commit(batchOf({ readings: [readingOf(n)] })); writeSync(1, n + '\\n'); }`;
  const writer = spawn(
    process.execPath,
    ['--conditions=source', '--input-type=module', '-e', script, folder.file],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  writer.stdout.on('data', (chunk) => {
    output += String(chunk);
    if (output.includes('\n20\n')) writer.kill('SIGKILL');
  });
  await once(writer, 'close');
  const acknowledged = output.split('\n').filter((line) => line !== '').length;
  using store = folder.open();
  const stored = store.readings('5ccf7f1418ad', 10_000).length;
  assert.ok(stored >= acknowledged && stored <= acknowledged + 1, `${stored} of ${acknowledged}`);
  assert.equal(store.counts().readings, stored);
});

test('a person and a report read beside the writer and see whole commits', () => {
  using folder = new Folder();
  using store = folder.open();
  store.commit(batchOf({ readings: [readingOf(1)] }));
  const reader = new DatabaseSync(folder.file, { readOnly: true });
  const count = reader.prepare('select count(*) as n from reading');
  reader.exec('begin');
  assert.equal(count.get()?.['n'], 1);
  // A long read neither stops the writer nor sees what came after it began.
  for (let n = 2; n <= 50; n++) store.commit(batchOf({ readings: [readingOf(n)] }));
  assert.equal(count.get()?.['n'], 1);
  reader.exec('commit');
  assert.equal(count.get()?.['n'], 50);
  reader.close();
});

test('SensorLog has the columns and the meaning of the original table', () => {
  using folder = new Folder();
  using store = folder.open();
  const at = Date.UTC(2026, 0, 31, 12, 30, 5, 678);
  const host = 'north.host' as DeviceId;
  const agent = { deviceId: host, metric: 'cpu_load', topic: 'davy/v1/t/north/host/reading' };
  store.commit(
    batchOf({
      devices: [deviceOf(), deviceOf({ id: host, protocol: 'json', mac: null, macSent: null })],
      readings: [
        readingOf(495, { at, receivedAt: at }),
        readingOf(496, { at, receivedAt: at + 1_000, value: 1, kind: 'requested' }),
        readingOf(1, agent),
      ],
    }),
  );
  // The device gets another address and then another topic: earlier rows keep what they came with.
  const topic = 'outTopic/23.17.224.11/192.168.1.99';
  const moved = deviceOf({ ip: '192.168.1.99' });
  store.commit(batchOf({ devices: [moved], readings: [readingOf(497, { at, receivedAt: at })] }));
  store.commit(batchOf({ readings: [readingOf(498, { at, receivedAt: at, topic })] }));
  const reader = new DatabaseSync(folder.file, { readOnly: true });
  const rows = reader.prepare('select * from SensorLog order by id').all();
  reader.close();
  const common = { mac: 'AD:18:14:7F:CF:5C', sensortype: 'Gas' };
  const old = { topic: 'outTopic/23.17.224.11/192.168.1.11', ip: '192.168.1.11', ...common };
  const later = { ip: '192.168.1.99', datereceived: '2026-01-31 12:30:05', ...common };
  const [regular, requested] = [{ comments: 'Regular reading' }, { comments: 'Requested reading' }];
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { id: 1, sequence: 495, value: 0, datereceived: '2026-01-31 12:30:05', ...old, ...regular },
      { id: 2, sequence: 496, value: 1, datereceived: '2026-01-31 12:30:06', ...old, ...requested },
      { id: 4, sequence: 497, value: 0, topic: old.topic, ...later, ...regular },
      { id: 5, sequence: 498, value: 0, topic, ...later, ...regular },
    ],
  );
  assert.deepEqual(
    Object.keys(rows[0]!).join(),
    'id,sequence,topic,mac,value,sensortype,datereceived,comments,ip',
  );
});

test('a full database refuses the batch whole, stays consistent and goes on when there is room', () => {
  using folder = new Folder();
  let store = folder.open({ maximumBytes: 400_000 });
  let last = 0;
  const next = () => {
    const readings = Array.from({ length: 500 }, (_, i) => readingOf(last + i));
    store.commit(batchOf({ devices: [deviceOf({ lastSequence: last + 499 })], readings }));
    last += 500;
  };
  assert.throws(
    () => {
      for (;;) next();
    },
    unusable(/cannot commit: the disk is full; make room/),
  );
  assert.ok(last >= 500);
  assert.throws(next, unusable(/disk is full/));
  assert.equal(store.readings('5ccf7f1418ad', 100_000).length, last);
  assert.equal(store.counts().readings, last);
  assert.equal(store.devices()[0]?.lastSequence, last - 1);
  store.close();
  store = folder.open();
  next();
  assert.equal(store.readings('5ccf7f1418ad', 100_000).length, last);
  store.close();
  const reader = new DatabaseSync(folder.file, { readOnly: true });
  assert.equal(reader.prepare('pragma integrity_check').get()?.['integrity_check'], 'ok');
  assert.deepEqual(reader.prepare('pragma foreign_key_check').all(), []);
  reader.close();
});

test('what a failed commit made new is made again by the next', () => {
  using folder = new Folder();
  using store = folder.open({ maximumBytes: 300_000 });
  const device = 'south.new' as DeviceId;
  const many = Array.from({ length: 20_000 }, (_, n) => readingOf(n, { deviceId: device }));
  assert.throws(() => store.commit(batchOf({ readings: many })), unusable(/disk is full/));
  assert.equal(store.commit(batchOf({ readings: many.slice(0, 3) })), 3);
  assert.equal(store.readings(device, 10).length, 3);
});

test('quarantine keeps the newest of its rows', () => {
  using folder = new Folder();
  using store = folder.open({ quarantineRows: 3 });
  for (let n = 0; n < 5; n++) {
    const message = { at: n, topic: `t${n}`, payload: Buffer.from('x'), size: 1, reason: 'no' };
    store.commit(batchOf({ quarantined: [message] }));
  }
  const topics = store.quarantine(10).map((message) => message.topic);
  assert.deepEqual(topics, ['t4', 't3', 't2']);
});

test('queries of newest rows walk an index', () => {
  using folder = new Folder();
  folder.open().close();
  const database = new DatabaseSync(folder.file, { readOnly: true });
  const plan = (sql: string) =>
    database
      .prepare(`explain query plan ${sql}`)
      .all()
      .map((row) => String(row['detail']))
      .join('; ');
  const newest = plan('select * from reading where channel = 1 order by at desc, id desc limit 5');
  assert.match(newest, /reading_by_time/);
  assert.doesNotMatch(newest, /TEMP B-TREE/);
  const open = plan("select * from alarm where state <> 'normal' order by raised_at desc");
  assert.match(open, /alarm_open/);
  database.close();
});

test(
  'a store in a folder that turned read-only says so',
  { skip: process.getuid?.() === 0 && 'root may write anything' },
  () => {
    using folder = new Folder();
    chmodSync(folder.path, 0o500);
    assert.throws(() => folder.open(), { code: 'FILE_UNWRITABLE', message: /no permission to write it/ });
    chmodSync(folder.path, 0o700);
  },
);

test(
  'the sqlite3 shell can read the file while the store is open',
  { skip: !hasShell() && 'sqlite3 is not installed' },
  () => {
    using folder = new Folder();
    using store = folder.open();
    store.commit(batchOf({ devices: [deviceOf()], readings: [readingOf(1)] }));
    const output = execFileSync('sqlite3', [folder.file, 'select sequence, ip from SensorLog'], {
      encoding: 'utf8',
    });
    assert.equal(output, '1|192.168.1.11\n');
  },
);

function hasShell(): boolean {
  return spawnSync('sqlite3', ['--version']).status === 0;
}
