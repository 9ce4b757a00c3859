import type { MqttToolsPort } from './mqtt/ports.ts';
import type { PasswdPort } from './passwd.ts';

/** What the command line needs of the running system: defined here, implemented in `app`. */
export interface SystemPort {
  readonly version: string;
  /** Runs a role from its configuration file until SIGINT or SIGTERM; ends with the exit code. */
  runRole(role: 'site' | 'relay' | 'cloud', configFile: string): Promise<number>;
  /** Reads and checks a configuration file; the lines say what was noticed. */
  checkConfig(role: 'site' | 'relay' | 'cloud', configFile: string): Promise<readonly string[]>;
  /** Runs a broker alone until SIGINT or SIGTERM; ends with the exit code. */
  runBroker(options: BrokerRunOptions): Promise<number>;
  /** Reads and checks a broker's configuration; the lines say what was noticed. */
  checkBroker(options: BrokerRunOptions): Promise<readonly string[]>;
  /** What pub, sub and rr need. */
  openMqttTools(): Promise<MqttToolsPort>;
  /** What passwd needs. */
  openPasswdTools(): Promise<PasswdPort>;
  /** Runs the virtual detectors of one site from their file until SIGINT or SIGTERM. */
  runDetectors(file: string): Promise<number>;
  /** Publishes this machine's load, memory and temperature until SIGINT or SIGTERM. */
  runAgent(file: string): Promise<number>;
  /** Runs the whole chain until SIGINT or SIGTERM. */
  runDemo(options: DemoOptions): Promise<number>;
  /** What is in a journal, and whether it is damaged. Rejects with `JOURNAL_UNUSABLE` where nothing can be read. */
  inspectJournal(folder: string): Promise<JournalInspection>;
  /** Saves what is whole of a damaged journal; the lines say what was saved and lost. */
  repairJournal(folder: string): Promise<readonly string[]>;
  /** Where everything of a demo is, for people and scripts. */
  demoStatus(folder: string): Promise<DemoStatus>;
  /** Opens (litres per hour > 0) or closes (0) a leak in a running demo; returns a sentence for people. */
  demoLeak(folder: string, site: string, detector: string, litresPerHour: number): Promise<string>;
}

/** `davylamp journal inspect`: for programs all of it, for people the lines. */
export interface JournalInspection {
  readonly isWhole: boolean;
  readonly sessions: number;
  readonly subscriptions: number;
  readonly deliveries: number;
  readonly messages: number;
  readonly retained: number;
  readonly bytes: number;
  readonly lines: readonly string[];
}

/** `davylamp broker`. */
export interface BrokerRunOptions {
  /** A mosquitto.conf; `undefined` = defaults, loopback only. */
  readonly configFile: string | undefined;
  readonly port: number | undefined;
  /** Log everything, whatever the file says. */
  readonly verbose: boolean;
  /** Log nothing; wins over `verbose`. */
  readonly quiet: boolean;
  readonly daemon: boolean;
  readonly tlsKeyLog: string | undefined;
}

export interface DemoOptions {
  readonly folder: string;
  readonly firstPort: number | undefined;
}

/** `davylamp demo status --json`. Paths are absolute. */
export interface DemoStatus {
  readonly running: boolean;
  readonly screen: string;
  readonly sites: readonly {
    readonly name: string;
    readonly host: string;
    readonly port: number;
    readonly username: string;
    readonly password: string;
  }[];
  readonly relay: {
    readonly host: string;
    readonly port: number;
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
  };
  readonly cloud: {
    readonly host: string;
    readonly port: number;
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    readonly username: string;
    readonly password: string;
  };
  readonly store: string;
  readonly processes: readonly {
    readonly name: string;
    readonly pid: number | null;
    readonly config: string;
  }[];
}
