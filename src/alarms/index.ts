/** Level 2: rules, and the life cycle of the alarms that they raise. No I/O. */
export { AlarmEngine, type AlarmChanges, type AlarmTrust } from './alarm-engine.ts';
