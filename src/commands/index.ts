/** Level 2: commands to detectors: the cloud's ledger and the site's gate. No I/O. */
export {
  CommandLedger,
  type CommandLedgerOptions,
  type CreatedCommand,
  type LedgerCounts,
} from './command-ledger.ts';
export {
  CommandGate,
  type Acceptance,
  type CommandGateOptions,
  type GateCounts,
  type GateResult,
} from './command-gate.ts';
