import type { LogLevel } from '#base';
import type { AlarmRule } from '#model';
import type {
  CommandGateConfig,
  Config,
  MetricsConfig,
  PersistenceConfig,
  PlatformConfig,
} from './config.ts';
import { bridgeOf } from './build-bridge.ts';
import { limitsOf } from './build-limits.ts';
import { listenerOf } from './build-listener.ts';
import { optionalField } from './optional-field.ts';
import type { Section } from './section.ts';

/** A detector that reads 1: gas. Where nobody wrote a rule, this one stands. */
const gasRule: AlarmRule = {
  name: 'gas',
  metric: 'gas',
  setPoint: 1,
  deadband: 0.2,
  onDelayMs: 0,
  offDelayMs: 5000,
  priority: 1,
};

/** Makes the typed configuration of sections that the schema has checked. */
export function buildConfig(root: Section): Config {
  const name = root.text('name');
  const platform = root.all('platform').at(0);
  const broker = only(root, 'broker');
  return {
    role: root.text('role') as Config['role'],
    name,
    tenant: root.text('tenant'),
    logLevel: root.text('log_level') as LogLevel,
    limits: limitsOf(broker),
    listeners: root.all('listener').map(listenerOf),
    persistence: persistenceOf(only(root, 'persistence')),
    bridges: root.all('bridge').map((bridge) => bridgeOf(bridge, name)),
    platform: platform === undefined ? null : platformOf(platform, root.all('alarm')),
    commands: commandsOf(only(root, 'commands')),
    sysIntervalSeconds: broker.number('sys_interval'),
    ...optionalField('gathersMessages', broker.boolean('gather_messages') ? null : false),
    ...optionalField('metrics', metricsOf(root.all('metrics').at(0))),
  };
}

/** A table that is always there: it has defaults for all its keys. */
function only(root: Section, key: string): Section {
  return root.all(key)[0] as Section;
}

function metricsOf(metrics: Section | undefined): MetricsConfig | null {
  if (metrics === undefined) return null;
  return {
    address: metrics.text('address'),
    port: metrics.number('port'),
    tokenFile: metrics.textOrNull('token_file'),
  };
}

function persistenceOf(persistence: Section): PersistenceConfig | null {
  if (!persistence.boolean('enabled')) return null;
  return { folder: persistence.text('folder'), maximumBytes: persistence.number('maximum_size') };
}

function platformOf(platform: Section, alarms: readonly Section[]): PlatformConfig {
  const addresses = platform.all('site_addresses').at(0)?.values ?? [];
  const names = platform.all('device_names').at(0)?.values ?? [];
  return {
    storeFile: platform.text('store_file'),
    brokerSocket: platform.text('broker_socket'),
    api: { address: platform.text('api_address'), port: platform.number('api_port') },
    siteAddresses: new Map([...addresses].map(([address, site]) => [address, String(site)])),
    deviceNames: new Map([...names].map(([device, name]) => [device, String(name)])),
    approvedDevices: platform.texts('approved_devices'),
    warmUpMs: platform.number('warm_up'),
    warmProofMs: platform.number('warm_proof'),
    silentAfterIntervals: platform.number('silent_after_intervals'),
    silentMinimumMs: platform.number('silent_minimum'),
    alarmRules: alarms.length === 0 ? [gasRule] : alarms.map(alarmOf),
    batchRows: platform.number('batch_rows'),
    batchDelayMs: platform.number('batch_delay'),
    quarantineRows: platform.number('quarantine_rows'),
    demoControl: platform.textOrNull('demo_control'),
  };
}

function alarmOf(alarm: Section): AlarmRule {
  const setPoint = alarm.number('set_point');
  return {
    name: alarm.text('name'),
    metric: alarm.text('metric'),
    setPoint,
    deadband: alarm.numberOrNull('deadband') ?? Math.abs(setPoint) / 5,
    onDelayMs: alarm.number('on_delay'),
    offDelayMs: alarm.number('off_delay'),
    priority: alarm.number('priority') as AlarmRule['priority'],
  };
}

function commandsOf(commands: Section): CommandGateConfig | null {
  if (!commands.boolean('accept')) return null;
  return {
    allowed: commands.texts('allow') as CommandGateConfig['allowed'],
    sleepMinimumSeconds: commands.number('sleep_minimum'),
    sleepMaximumSeconds: commands.number('sleep_maximum'),
    answerTimeoutMs: commands.number('answer_timeout'),
  };
}
