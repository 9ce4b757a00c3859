import { SystemClock, type Clock, type Logger } from '#base';
import { Bridge } from '#bridges';
import { Broker, type ListenerProfile } from '#broker';
import type { BridgeConfig, Config, ListenerConfig } from '#config';
import { MemoryJournal } from '#journal';
import { createDialer, createListener, createMemoryDialer } from '#listeners';
import { allowAll, loadTrust } from '#security';
import { CommandGateService } from './command-gate-service.ts';
import { createLogger } from './logging.ts';
import { PlatformThread } from './platform-host.ts';
import { readConfig } from './read-config.ts';
import { readSecret } from './secrets.ts';
import { reportReady, waitForStop } from './stop-signal.ts';

/** `davylamp site|relay|cloud -c FILE`: runs until SIGINT or SIGTERM, ends with 0 after a clean stop. */
export async function runRole(role: Config['role'], file: string, version: string): Promise<number> {
  const stop = waitForStop();
  try {
    const { config, warnings } = await readConfig(role, file);
    const clock = new SystemClock();
    const log = createLogger(clock, config.logLevel);
    for (const warning of warnings) {
      log.warning(
        `${warning.file}${warning.line === undefined ? '' : `:${warning.line}`}: ${warning.message}`,
      );
    }
    await using running = await startRole(config, { clock, log, version });
    reportReady();
    log.notice(`${role} ${config.name} runs`, { listeners: running.listening.join(', ') });
    await stop.signalled;
    log.notice(`${role} ${config.name} stops`);
  } finally {
    stop.release();
  }
  return 0;
}

interface RoleContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
}

interface RunningRole extends AsyncDisposable {
  readonly broker: Broker;
  readonly bridges: readonly Bridge[];
  /** For people: `outside tls 127.0.0.1:8883`. */
  readonly listening: readonly string[];
}

/**
 * Wires one role from its configuration: broker, listeners, bridges, command gate, platform thread. Everything that was
 * begun is undone when a later part fails.
 */
async function startRole(config: Config, context: RoleContext): Promise<RunningRole> {
  const { clock, log, version } = context;
  await using stack = new AsyncDisposableStack();
  const journal = new MemoryJournal();
  const broker = new Broker({
    clock,
    log: log.child('broker'),
    limits: config.limits,
    journal,
    name: config.name,
    version,
  });
  stack.defer(() => broker.close());
  broker.start();

  // A bridge's queue stands before the first detector can publish.
  const bridges: Bridge[] = [];
  for (const bridgeConfig of config.bridges) {
    const bridge = await createBridge(bridgeConfig, config, broker, context);
    bridges.push(bridge);
    stack.defer(() => bridge.close());
    bridge.start();
  }

  const listening: string[] = [];
  for (const listener of config.listeners)
    listening.push(await openListener(listener, config, broker, context, stack));

  if (config.commands !== null) {
    const gate = new CommandGateService({
      config: config.commands,
      tenant: config.tenant,
      site: config.name,
      dialer: insideDialer(broker, 'command gate'),
      clock,
      log: log.child('commands'),
    });
    stack.defer(() => gate.close());
    await gate.start();
  }
  if (config.platform !== null) {
    const platform = new PlatformThread({
      config,
      platform: config.platform,
      clock,
      log: log.child('platform'),
      version,
    });
    stack.defer(() => platform.close());
    await platform.start();
    listening.push(`screen http://${config.platform.api.address}:${platform.apiPort}/`);
  }
  const owned = stack.move();
  return { broker, bridges, listening, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function openListener(
  listener: ListenerConfig,
  config: Config,
  broker: Broker,
  context: RoleContext,
  stack: AsyncDisposableStack,
): Promise<string> {
  const trust = await loadTrust(listener);
  for (const warning of trust.warnings) context.log.warning(warning);
  const profile: ListenerProfile = {
    name: listener.name,
    authenticator: trust.authenticator,
    authorizer: trust.authorizer,
    enhancedAuthenticator: trust.enhancedAuthenticator,
    stampSite: listener.stamp ? config.name : null,
    minimumQos: listener.minimumQos,
    sharedClientIds: new Set(listener.sharedClientIds),
  };
  const opened = createListener(listener, (transport) => broker.accept(transport, profile), {
    clock: context.clock,
    log: context.log.child(`listener:${listener.name}`),
    maximumConnections: config.limits.maximumConnections,
    ...(config.limits.maximumHandshakes === undefined
      ? {}
      : { maximumHandshakes: config.limits.maximumHandshakes }),
    admit: (address) => broker.mayConnect(address, listener.name),
  });
  broker.watchDoor(opened.statistics);
  stack.defer(() => opened.close());
  const { address, port } = await opened.start();
  return listener.protocol === 'unix'
    ? `${listener.name} unix ${address}`
    : `${listener.name} ${listener.protocol} ${address}:${port}`;
}

async function createBridge(
  bridge: BridgeConfig,
  config: Config,
  broker: Broker,
  context: RoleContext,
): Promise<Bridge> {
  const password = bridge.passwordFile === null ? undefined : await readSecret(bridge.passwordFile);
  return new Bridge({
    config: bridge,
    brokerName: config.name,
    localDialer: insideDialer(broker, `bridge ${bridge.name}`),
    remoteDialer: createDialer({
      host: bridge.host,
      port: bridge.port,
      tls: bridge.tls,
      clock: context.clock,
    }),
    clock: context.clock,
    log: context.log.child(`bridge:${bridge.name}`),
    ...(password === undefined ? {} : { password }),
  });
}

/** A way into our own broker for a part of this process: in memory, trusted, under a name of its own. */
function insideDialer(broker: Broker, name: string): ReturnType<typeof createMemoryDialer> {
  const profile: ListenerProfile = {
    name: 'inside',
    authenticator: { authenticate: () => ({ reasonCode: 0, name }) },
    authorizer: allowAll,
    stampSite: null,
    minimumQos: 0,
    sharedClientIds: new Set(),
  };
  return createMemoryDialer((transport) => broker.accept(transport, profile));
}
