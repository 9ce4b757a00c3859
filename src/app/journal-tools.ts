import { DavylampError } from '#base';
import type { JournalInspection } from '#cli';
import { inspectJournal, repairJournal, type SegmentReport } from '#journal';

/** What is in the journal of a folder. Throws `JOURNAL_UNUSABLE` where there is none, or nothing can be read. */
export function inspect(folder: string): JournalInspection {
  const report = inspectJournal(folder);
  if (report === null)
    throw new DavylampError('JOURNAL_UNUSABLE', `there is no journal in ${folder}; name the folder of one`);
  const { segments, sessions, subscriptions, deliveries, messages, retained } = report;
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const damaged = segments.filter(({ isDamaged }) => isDamaged);
  return {
    isWhole: damaged.length === 0,
    sessions,
    subscriptions,
    deliveries,
    messages,
    retained,
    bytes,
    lines: [
      `journal ${folder}, version ${report.version}: ${bytes} bytes in ${segments.length} files`,
      `  ${sessions} sessions with ${subscriptions} subscriptions`,
      `  ${deliveries} deliveries of ${messages} messages on their way or waiting, ${retained} retained`,
      ...segments.flatMap(faultLine),
      damaged.length === 0
        ? 'no damage before the last commit'
        : `damaged: 'davylamp journal repair ${folder}' saves what is whole`,
    ],
  };
}

/** Saves what is whole. Throws `JOURNAL_UNUSABLE` where that cannot be. */
export function repair(folder: string, now: number): readonly string[] {
  const { savedBatches, savedBytes, lostBytes, damagedFiles, keptIn } = repairJournal(folder, now);
  return [
    `journal ${folder}: ${savedBatches} commits saved, ${savedBytes} bytes; ${lostBytes} bytes lost`,
    ...damagedFiles.map((file) => `  damaged: ${file}`),
    `the files as they were are kept in ${keptIn}; remove it when nothing is missing`,
  ];
}

function faultLine({ name, fault }: SegmentReport): string[] {
  return fault === null ? [] : [`  ${name}: ${fault}`];
}
