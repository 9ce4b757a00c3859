import type { JournalState } from '#broker';
import type { JournalStatistics } from '#journal';
import { counter, familiesOf, gauge, type MetricFamily, type Shown } from './metric-family.ts';

const states: readonly JournalState[] = ['ok', 'full', 'failed'];

/** Every number of `JournalStatistics`: a new one does not compile until it has a name here. */
type JournalNumber = Exclude<keyof JournalStatistics, 'state'>;

const numbers: Readonly<Record<JournalNumber, Shown>> = {
  segments: gauge('segments', 'Files of the journal.'),
  bytes: gauge('bytes', 'Disk space of the journal.'),
  liveBytes: gauge('live_bytes', 'Bytes of the journal that are still needed.'),
  pendingBytes: gauge('pending_bytes', 'Bytes that wait to be written.'),
  flushes: counter('flushes', 'Group commits.'),
  bytesWritten: counter('written_bytes', 'Bytes that group commits wrote.'),
  bytesMoved: counter('moved_bytes', 'Of the bytes written, those moved from the oldest file to the end.'),
  failedCommits: counter('failed_commits', 'Group commits that the disk refused.'),
  lastCommitMs: gauge('last_commit_seconds', 'How long the last group commit took.', 0.001),
  meanCommitMs: gauge('mean_commit_seconds', 'How long a group commit takes, as a moving mean.', 0.001),
  sessions: gauge('sessions', 'Sessions in the journal.'),
  deliveries: gauge('deliveries', 'Messages in the journal on their way to a session, each session counted.'),
  messages: gauge('messages', 'Messages in the journal, each counted once.'),
  retained: gauge('retained_messages', 'Retained messages in the journal.'),
};

/** What the journal counts; no state, and zeros, where nothing is kept on disk. */
export const journalFamilies: readonly MetricFamily[] = [
  {
    name: 'davylamp_journal_state',
    help: '1 for the state that the journal is in: with another than ok, publishers are refused.',
    kind: 'gauge',
    labelNames: ['state'],
    samples: ({ journal }) =>
      journal === null
        ? []
        : states.map((state) => ({ labels: { state }, value: journal.state === state ? 1 : 0 })),
  },
  ...familiesOf('davylamp_journal_', [], numbers, ({ journal }) =>
    journal === null ? [] : [{ labels: {}, numbers: journal }],
  ),
];
