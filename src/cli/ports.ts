/** What the command line needs of the running system: defined here, implemented in `app`. */
export interface SystemPort {
  readonly version: string;
  /** Runs a role from its configuration file until SIGINT or SIGTERM; ends with the exit code. */
  runRole(role: 'site' | 'relay' | 'cloud', configFile: string): Promise<number>;
  /** Reads and checks a configuration file; the lines say what was noticed. */
  checkConfig(role: 'site' | 'relay' | 'cloud', configFile: string): Promise<readonly string[]>;
  /** Runs the virtual detectors of one site from their file until SIGINT or SIGTERM. */
  runDetectors(file: string): Promise<number>;
  /** Publishes this machine's load, memory and temperature until SIGINT or SIGTERM. */
  runAgent(file: string): Promise<number>;
  /** Runs the whole chain until SIGINT or SIGTERM. */
  runDemo(options: DemoOptions): Promise<number>;
  /** Where everything of a demo is, for people and scripts. */
  demoStatus(folder: string): Promise<DemoStatus>;
  /** Opens (litres per hour > 0) or closes (0) a leak in a running demo; returns a sentence for people. */
  demoLeak(folder: string, site: string, detector: string, litresPerHour: number): Promise<string>;
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
