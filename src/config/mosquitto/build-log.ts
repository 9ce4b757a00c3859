import { resolve } from 'node:path';
import type { LogLevel } from '#base';
import {
  mosquittoLogTypes,
  type MosquittoLogConfig,
  type MosquittoLogDestination,
  type MosquittoLogType,
} from '../config.ts';
import type { ConfFindings } from './conf-findings.ts';
import type { ConfSection } from './conf-section.ts';
import { quote } from './conf-value.ts';

const standardTypes: readonly MosquittoLogType[] = ['error', 'warning', 'notice', 'information'];
/** Facilities of syslog (RFC 5424, 6.2.1). */
const daemonFacility = 3;
const local0Facility = 16;

/** The log as the file asks for it. `isVerbose`: all types, whatever the file says. */
export function buildLog(
  broker: ConfSection,
  isVerbose: boolean,
  folder: string,
  findings: ConfFindings,
): MosquittoLogConfig {
  const facility = broker.integerOrNull('log_facility');
  return {
    destinations: destinationsOf(broker, folder, findings),
    types: isVerbose ? new Set(mosquittoLogTypes) : typesOf(broker),
    connectionMessages: broker.flag('connection_messages'),
    timestamp: broker.flag('log_timestamp'),
    timestampFormat: broker.textOrNull('log_timestamp_format'),
    facility: facility === null ? daemonFacility : local0Facility + facility,
  };
}

/** The level of our own lines that says as much. */
export function logLevelOf(types: ReadonlySet<MosquittoLogType>): LogLevel {
  if (types.has('debug')) return 'debug';
  if (types.has('information')) return 'info';
  if (types.has('notice')) return 'notice';
  return types.has('warning') ? 'warning' : 'error';
}

function typesOf(broker: ConfSection): Set<MosquittoLogType> {
  const given = broker.all('log_type');
  const types = new Set<MosquittoLogType>(given.length === 0 ? standardTypes : []);
  for (const { value } of given) {
    if (value === 'none') types.clear();
    for (const type of mosquittoLogTypes) if (value === 'all' || value === type) types.add(type);
  }
  return types;
}

function destinationsOf(
  broker: ConfSection,
  folder: string,
  findings: ConfFindings,
): MosquittoLogDestination[] {
  const given = broker.all('log_dest');
  if (given.length === 0) return [{ kind: 'stderr' }];
  const destinations = new Map<string, MosquittoLogDestination>();
  for (const line of given) {
    const value = String(line.value);
    const [word = ''] = value.split(/\s/, 1);
    const rest = value.slice(word.length).trim();
    if (word === 'none') destinations.clear();
    else if (word === 'stdout' || word === 'stderr' || word === 'syslog' || word === 'topic')
      destinations.set(word, { kind: word });
    else if (word === 'dlt' || word === 'android')
      findings.warn(line, `log_dest ${word} is not there; the log goes where other lines say`);
    else if (word !== 'file')
      findings.fault(
        line,
        `log_dest must be one of none, stdout, stderr, syslog, topic, file <path>, not ${quote(word)}`,
      );
    else if (rest === '') findings.fault(line, 'log_dest file needs a path');
    else if (destinations.has('file'))
      findings.fault(line, 'log_dest file is given already; there is one file, so remove one of them');
    else destinations.set('file', { kind: 'file', path: resolve(folder, rest) });
  }
  return [...destinations.values()];
}
