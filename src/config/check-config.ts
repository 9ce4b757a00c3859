import { checkBridge } from './check-bridge.ts';
import { checkLimits } from './check-limits.ts';
import { checkListener } from './check-listener.ts';
import type { Config } from './config.ts';
import { fault, isLoopback, warn, type Desk, type Findings } from './findings.ts';
import type { Section } from './section.ts';

/** The checks that need more than one key. */
export function checkConfig(config: Config, root: Section): Findings {
  const findings: Findings = { faults: [], warnings: [] };
  const listeners = root.all('listener');
  const bridges = root.all('bridge');
  checkUnique(listeners, findings);
  checkUnique(bridges, findings);
  checkUnique(root.all('alarm'), findings);
  checkLimits(config.limits, { section: root.all('broker')[0] as Section, findings });
  for (const [i, listener] of config.listeners.entries())
    checkListener(listener, config.limits, { section: listeners[i] as Section, findings });
  for (const [i, bridge] of config.bridges.entries())
    checkBridge(bridge, config, { section: bridges[i] as Section, findings });
  if (config.listeners.length === 0)
    fault({ section: root, findings }, '', 'nobody can connect: there is no [[listener]]; add one');
  checkPlatform(config, root, findings);
  checkCommands(config, root, findings);
  checkMetrics(config, root, findings);
  return findings;
}

function checkUnique(sections: readonly Section[], findings: Findings): void {
  const seen = new Set<string>();
  for (const section of sections) {
    const name = section.text('name');
    if (seen.has(name))
      fault({ section, findings }, 'name', 'another one has this name already; give it a name of its own');
    seen.add(name);
  }
}

function checkPlatform(config: Config, root: Section, findings: Findings): void {
  const alarms = root.all('alarm');
  const { platform } = config;
  if (platform === null) {
    if (alarms[0] !== undefined)
      fault(
        { section: alarms[0], findings },
        '',
        'alarms are raised by the platform; add [platform] or remove them',
      );
    return;
  }
  const desk: Desk = { section: root.all('platform')[0] as Section, findings };
  if (!isLoopback(platform.api.address)) {
    fault(
      desk,
      'api_address',
      `the screen has no sign-in yet, so it is not shown to the network; use "127.0.0.1" instead of ${JSON.stringify(platform.api.address)}`,
    );
  }
  if (!config.listeners.some(({ protocol, path }) => protocol === 'unix' && path === platform.brokerSocket)) {
    warn(desk, 'broker_socket', 'no [[listener]] of this file opens this socket; something else must');
  }
  for (const [i, rule] of platform.alarmRules.entries()) {
    const section = alarms[i];
    if (section === undefined || rule.setPoint <= 0 || rule.deadband < rule.setPoint) continue;
    fault(
      { section, findings },
      'deadband',
      `deadband ${rule.deadband} reaches down to 0 from set_point ${rule.setPoint}: the alarm would never return; make it smaller`,
    );
  }
}

function checkCommands(config: Config, root: Section, findings: Findings): void {
  const { commands } = config;
  if (commands === null) return;
  const desk: Desk = { section: root.all('commands')[0] as Section, findings };
  if (commands.sleepMinimumSeconds > commands.sleepMaximumSeconds)
    fault(desk, 'sleep_minimum', 'sleep_minimum is longer than sleep_maximum; lower it');
  if (config.role !== 'site')
    warn(desk, 'accept', `commands are let in by a site; on a ${config.role} this does nothing`);
}

function checkMetrics({ metrics }: Config, root: Section, findings: Findings): void {
  if (metrics === undefined || metrics.tokenFile !== null || isLoopback(metrics.address)) return;
  warn(
    { section: root.all('metrics')[0] as Section, findings },
    'address',
    'everybody who reaches this port reads what this machine does; set token_file, or address = "127.0.0.1"',
  );
}
