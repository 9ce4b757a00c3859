/**
 * Three engines for the journal under the same load: messages of 64 bytes for 100 sessions, so many under way at once,
 * each acknowledged when it is on the disk. Then the time of a restart that finds them all.
 *
 *     node --conditions=source benchmarks/micro/journal-engines.bench.ts [messages per run]
 *
 * The files are made in `TMPDIR`: put that on the disk which is meant. `lmdb` takes part where it is installed
 * (`npm install --no-save lmdb`).
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { silentLogger, SystemClock } from '#base';
import { openJournal } from '#journal';

const sessions = 100;
const topic = 'site/north/detector/0042/reading';
const payload = Buffer.alloc(64, 'x');

/** An engine with one folder. */
interface Engine {
  /** Takes one message; `onDurable` is called with the count of messages that are on the disk. */
  queue(session: number, serial: number): void;
  onDurable: (count: number) => void;
  close(): Promise<void>;
}

interface EngineKind {
  readonly name: string;
  open(folder: string): Promise<Engine>;
  /** Opens the folder again and finds how many messages wait. */
  restart(folder: string): Promise<number>;
}

const options = { clock: new SystemClock(), log: silentLogger };

const ownLog: EngineKind = {
  name: 'own log',
  async open(folder) {
    const journal = await openJournal({ folder, ...options });
    for (let i = 0; i < sessions; i++) journal.recordSessionOpened(`session-${i}`, null, 3600);
    let recorded = 0;
    const engine: Engine = {
      queue(session, serial) {
        const message = {
          topic,
          payload,
          qos: 1,
          properties: null,
          publisherId: 'p',
          expiresAt: 0,
          journalId: 0,
        } as const;
        journal.recordDeliveryQueued(`session-${session}`, {
          serial,
          message: { ...message },
          qos: 1,
          retain: false,
          subscriptionIdentifiers: [],
        });
        recorded++;
      },
      onDurable: () => {},
      close: () => journal.close(),
    };
    journal.onDurable(() => engine.onDurable(recorded - (journal.sequence - journal.durableSequence)));
    return engine;
  },
  async restart(folder) {
    await using journal = await openJournal({ folder, ...options });
    return journal.statistics.deliveries;
  },
};

const schema = `pragma journal_mode = wal; pragma synchronous = full;
  create table if not exists message (id integer primary key, topic text, payload blob) strict;
  create table if not exists queue (session integer, serial integer, message integer, primary key (session, serial))
    strict, without rowid;`;

const sqliteWorker = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(workerData.file);
  database.exec(workerData.schema);
  const message = database.prepare('insert into message (topic, payload) values (?, ?)');
  const queue = database.prepare('insert into queue values (?, ?, ?)');
  parentPort.on('message', (batch) => {
    if (batch === null) { database.close(); parentPort.close(); return; }
    database.exec('begin');
    for (const [session, serial, topic, payload] of batch)
      queue.run(session, serial, message.run(topic, payload).lastInsertRowid);
    database.exec('commit');
    parentPort.postMessage(batch.length);
  });`;

const sqlite: EngineKind = {
  name: 'node:sqlite in a worker',
  async open(folder) {
    const file = join(folder, 'journal.db');
    const worker = new Worker(sqliteWorker, { eval: true, workerData: { file, schema } });
    let batch: unknown[] = [];
    let isBusy = false;
    let isScheduled = false;
    let durable = 0;
    const send = (): void => {
      isScheduled = false;
      if (isBusy || batch.length === 0) return;
      isBusy = true;
      worker.postMessage(batch);
      batch = [];
    };
    const engine: Engine = {
      queue(session, serial) {
        batch.push([session, serial, topic, payload]);
        if (isScheduled) return;
        isScheduled = true;
        setImmediate(send);
      },
      onDurable: () => {},
      async close() {
        const gone = new Promise((resolve) => worker.once('exit', resolve));
        worker.postMessage(null);
        await gone;
      },
    };
    worker.on('message', (count: number) => {
      isBusy = false;
      durable += count;
      send();
      engine.onDurable(durable);
    });
    return engine;
  },
  async restart(folder) {
    const database = new DatabaseSync(join(folder, 'journal.db'));
    // What the log's index holds: which message each delivery is, in the order of delivery.
    let count = 0;
    for (const _ of database.prepare('select session, serial, message from queue order by 1, 2').iterate())
      count++;
    database.close();
    return count;
  },
};

/** The part of `lmdb` that is used here. */
interface Lmdb {
  put(key: unknown, value: unknown): Promise<boolean>;
  readonly flushed: Promise<boolean>;
  getKeysCount(): number;
  getKeys(): Iterable<unknown>;
  close(): Promise<void>;
}

function lmdbKind(openLmdb: (options: object) => Lmdb): EngineKind {
  const open = (folder: string): Lmdb =>
    openLmdb({ path: join(folder, 'journal'), encoding: 'binary', keyEncoding: 'ordered-binary' });
  return {
    name: 'lmdb',
    async open(folder) {
      const database = open(folder);
      const record = Buffer.concat([Buffer.from(topic), payload]);
      let recorded = 0;
      let isFlushing = false;
      const flush = (): void => {
        isFlushing = true;
        const until = recorded;
        void database.flushed.then(() => {
          isFlushing = false;
          engine.onDurable(until);
          if (recorded > until) flush();
        });
      };
      const engine: Engine = {
        queue(session, serial) {
          recorded++;
          void database.put([session, serial], record);
          if (!isFlushing) flush();
        },
        onDurable: () => {},
        close: () => database.close(),
      };
      return engine;
    },
    async restart(folder) {
      const database = open(folder);
      let count = 0;
      for (const _ of database.getKeys()) count++;
      await database.close();
      return count;
    },
  };
}

async function run(kind: EngineKind, messages: number, window: number): Promise<void> {
  const folder = mkdtempSync(join(process.env['TMPDIR'] ?? tmpdir(), 'davylamp-bench-'));
  mkdirSync(join(folder, 'engine'));
  const engine = await kind.open(join(folder, 'engine'));
  const sentAt = new Float64Array(messages);
  const latencies = new Float64Array(messages);
  let sent = 0;
  let done = 0;
  const begin = performance.now();
  await new Promise<void>((resolve) => {
    const fill = (): void => {
      const now = performance.now();
      for (; sent < messages && sent - done < window; sent++) {
        sentAt[sent] = now;
        engine.queue(sent % sessions, 1 + Math.floor(sent / sessions));
      }
    };
    engine.onDurable = (count) => {
      const now = performance.now();
      for (; done < count; done++) latencies[done] = now - sentAt[done]!;
      if (done >= messages) resolve();
      else fill();
    };
    fill();
  });
  const seconds = (performance.now() - begin) / 1000;
  await engine.close();
  const bytes = sizeOf(folder) / messages;
  const restarted = performance.now();
  const found = await kind.restart(join(folder, 'engine'));
  const restartMs = performance.now() - restarted;
  if (found !== messages) throw new Error(`${kind.name} found ${found} of ${messages}`);
  rmSync(folder, { recursive: true });
  latencies.sort();
  const at = (part: number): string => latencies[Math.floor((messages - 1) * part)]!.toFixed(2);
  const perSecond = Math.round(messages / seconds)
    .toLocaleString('en')
    .padStart(9);
  console.log(
    `${kind.name.padEnd(24)} ${String(window).padStart(6)} under way: ${perSecond}/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
      `${bytes.toFixed(0)} bytes a message; restart ${restartMs.toFixed(0)} ms`,
  );
}

function sizeOf(folder: string): number {
  let sum = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const { size } = statSync(join(folder, name));
    if (!name.endsWith('reserve') && statSync(join(folder, name)).isFile()) sum += size;
  }
  return sum;
}

const messages = Number(process.argv[2] ?? 200_000);
const kinds = [ownLog, sqlite];
const name = 'lmdb';
const lmdb = (await import(name).catch(() => null)) as { open: (options: object) => Lmdb } | null;
if (lmdb !== null) kinds.push(lmdbKind(lmdb.open));
for (const window of [1, 100, 1_000, 20_000])
  for (const kind of kinds) await run(kind, window === 1 ? Math.min(messages, 2_000) : messages, window);
