/** Level 0: clock, logger, errors, transport port, queues and bytes. Imports nothing of the project. */
export { blockThread, SystemClock, sleep, type Clock, type Timer } from './clock.ts';
export { FakeClock } from './fake-clock.ts';
export { Roster, type Placed } from './roster.ts';
export { SparingLog } from './sparing-log.ts';
export {
  LineLogger,
  logLevels,
  logSentence,
  silentLogger,
  type LogFields,
  type Logger,
  type LogLevel,
} from './logger.ts';
export {
  DavylampError,
  errorCatalog,
  messageOf,
  systemCodeOf,
  type Blame,
  type ErrorCode,
  type ExitCode,
} from './errors.ts';
export type { Dialer, PeerCertificate, PeerInfo, Transport, TransportHandler } from './transport.ts';
export { strftime } from './strftime.ts';
