import { DavylampError, type Dialer } from '#base';
import { connectPacketOf, receiveMaximumOf } from './connect-packet.ts';
import { optionFileWords, readOptionWords } from './option-words.ts';
import type { ToolName } from './options.ts';
import { PacketTrace } from './packet-trace.ts';
import type { BrokerTarget, MqttToolsPort, ToolTls } from './ports.ts';
import { readSettings } from './read-settings.ts';
import type { ToolSettings } from './settings.ts';
import { ToolClient, type ToolClientOwner, type ToolEnd } from './tool-client.ts';
import { usage } from '../command.ts';

/** Exit codes beside the CONNACK codes of the broker, as the mosquitto tools have them. */
export const ToolExit = {
  Done: 0,
  /** Wrong options, an unreadable file, a broker that cannot be reached. */
  Failed: 1,
  ConnectionLost: 7,
  QosNotSupported: 24,
  PacketTooLarge: 25,
  TimedOut: 27,
  RetainNotSupported: 28,
  /** Stopped by a signal before the broker had answered. */
  Interrupted: 255,
} as const;

/** Port of MQTT and of MQTT over TLS. */
const plainPort = 1883;
const tlsPort = 8883;

/** What a tool runs with. */
export class ToolSession {
  readonly settings: ToolSettings;
  readonly port: MqttToolsPort;
  readonly #dialer: Dialer;

  constructor(settings: ToolSettings, port: MqttToolsPort, dialer: Dialer) {
    this.settings = settings;
    this.port = port;
    this.#dialer = dialer;
  }

  createClient(owner: ToolClientOwner, reconnect: boolean): ToolClient {
    const { settings, port } = this;
    const connect = connectPacketOf(settings, port.processId);
    const print = (line: string): void => void port.output.write(Buffer.from(`${line}\n`));
    return new ToolClient({
      dialer: this.#dialer,
      clock: port.clock,
      log: port.log,
      connect,
      properties: settings.properties.all,
      maximumInflight: settings.maximumInflight,
      receiveMaximum: settings.properties.all.connect.receiveMaximum ?? receiveMaximumOf(settings),
      reconnect,
      trace: settings.debug
        ? new PacketTrace(print, connect.clientId === '' ? undefined : connect.clientId, settings.quiet)
        : null,
      owner,
    });
  }

  /** A line on standard error, unless `--quiet`. */
  complain(line: string): void {
    if (!this.settings.quiet) this.port.printError(line);
  }

  /** Says why a connection ended, and gives the exit code for it. */
  exitCodeOf(end: ToolEnd): number {
    switch (end.kind) {
      case 'closed':
        return ToolExit.Done;
      case 'refused':
        this.complain(`${end.message}${refusalAdvice(end.reasonCode)}`);
        return end.reasonCode;
      case 'lost':
        this.complain(end.message);
        return ToolExit.ConnectionLost;
      default:
        this.complain(end.message);
        return ToolExit.Failed;
    }
  }
}

/** Reads the options of a tool, runs it and gives the exit code. Whatever is wrong is one line on standard error. */
export async function runTool(
  tool: ToolName,
  words: readonly string[],
  port: MqttToolsPort,
  run: (session: ToolSession) => Promise<number>,
): Promise<number> {
  try {
    const settings = readSettings(
      tool,
      readOptionWords(tool, [...(await fileWords(tool, words, port)), ...words]),
    );
    if (settings.showVersion) {
      port.output.write(Buffer.from(`davylamp ${tool} ${port.version}\n`));
      return ToolExit.Done;
    }
    const dialer = await port.createDialer(await targetOf(settings, port));
    return await run(new ToolSession(settings, port, dialer));
  } catch (error) {
    if (!(error instanceof DavylampError)) throw error;
    port.printError(error.message);
    return ToolExit.Failed;
  }
}

/** `-o FILE`, or else the user's own defaults. */
async function fileWords(
  tool: ToolName,
  words: readonly string[],
  port: MqttToolsPort,
): Promise<readonly string[]> {
  const file = readOptionWords(tool, words).find(({ option }) => option.name === 'options-file')?.values[0];
  if (file !== undefined) return optionFileWords((await port.readFile(file)).toString());
  const defaults = await port.readDefaults(`mosquitto_${tool}`);
  return defaults === null ? [] : optionFileWords(defaults);
}

async function targetOf(settings: ToolSettings, port: MqttToolsPort): Promise<BrokerTarget> {
  const { host, unixPath, isWebSocket, bindAddress, proxy, tool } = settings;
  const tls = tlsOf(settings);
  if (unixPath !== undefined && tls !== null) throw usage(tool, '--unix and TLS cannot be used together');
  const place = settings.useSrv
    ? await port.resolveService(host, tls !== null)
    : { host, port: settings.port ?? (tls === null ? plainPort : tlsPort) };
  return { ...place, unixPath, isWebSocket, bindAddress, proxy, tls };
}

/** TLS is on with an authority to trust, with a shared key and on its own port. */
function tlsOf({ tls, port, tool, unixPath }: ToolSettings): ToolTls | null {
  const isWanted =
    tls.caFile !== undefined ||
    tls.caFolder !== undefined ||
    tls.psk !== undefined ||
    tls.useSystemAuthorities ||
    (port === tlsPort && unixPath === undefined);
  if (!isWanted || tls.off) {
    const idle = Object.entries({
      '--cert': tls.certificateFile,
      '--ciphers': tls.ciphers,
      '--tls-version': tls.version,
      '--tls-alpn': tls.alpn,
      '--tls-keylog': tls.keylogFile,
    }).find(([, value]) => value !== undefined);
    if (idle !== undefined && !tls.off)
      throw usage(tool, `${idle[0]} needs TLS; add --cafile, --capath or --tls-use-os-certs`);
    return null;
  }
  const { psk, pskIdentity } = tls;
  return {
    caFile: tls.caFile,
    caFolder: tls.caFolder,
    // Nothing to trust was named: what the system trusts.
    useSystemAuthorities:
      tls.useSystemAuthorities ||
      (tls.caFile === undefined && tls.caFolder === undefined && psk === undefined),
    certificateFile: tls.certificateFile,
    keyFile: tls.keyFile,
    ciphers: tls.ciphers,
    version: tls.version,
    alpn: tls.alpn,
    keylogFile: tls.keylogFile,
    insecure: tls.insecure,
    psk: psk === undefined || pskIdentity === undefined ? undefined : { identity: pskIdentity, key: psk },
  };
}

function refusalAdvice(reasonCode: number): string {
  if (reasonCode === 1 || reasonCode === 132) return '; ask for another version with -V';
  if (reasonCode === 2 || reasonCode === 133) return '; choose another client id with -i';
  const isIdentity = [4, 5, 134, 135].includes(reasonCode);
  return isIdentity ? '; check the user name and password (-u, -P) or the certificate' : '';
}
