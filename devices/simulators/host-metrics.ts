import { readdirSync, readFileSync } from 'node:fs';
import { cpus, freemem, loadavg, totalmem, uptime } from 'node:os';

/** One measured value with its unit (UCUM). */
export interface HostValue {
  readonly value: number;
  readonly unit: string;
}

/** What a host agent asks at each reading; what the machine does not tell is left out. */
export interface HostMetricsSource {
  read(): Readonly<Record<string, HostValue>>;
}

interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

const thermalFolder = '/sys/class/thermal';

/** Load, memory and temperature of this machine. CPU load is the mean since the previous call. */
export class HostMetrics implements HostMetricsSource {
  readonly #thermalFolder: string;
  #previous: CpuTimes = cpuTimes();

  constructor(folder = thermalFolder) {
    this.#thermalFolder = folder;
  }

  read(): Readonly<Record<string, HostValue>> {
    const now = cpuTimes();
    const total = now.total - this.#previous.total;
    const busy = now.busy - this.#previous.busy;
    const values: Record<string, HostValue> = {
      memory_used: { value: rounded(memoryUsedPercent()), unit: '%' },
      load_average: { value: rounded(loadavg()[0] ?? 0), unit: '1' },
      uptime: { value: Math.floor(uptime()), unit: 's' },
    };
    // Two calls within one tick of the kernel's count have nothing between them to take a share of.
    if (total > 0) {
      values['cpu_load'] = { value: rounded(Math.min(1, Math.max(0, busy / total))), unit: '1' };
      this.#previous = now;
    }
    const celsius = hottestCelsius(this.#thermalFolder);
    if (celsius !== undefined) values['temperature'] = { value: rounded(celsius), unit: 'Cel' };
    return values;
  }
}

function cpuTimes(): CpuTimes {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const working = times.user + times.nice + times.sys + times.irq;
    busy += working;
    total += working + times.idle;
  }
  return { busy, total };
}

/** On Linux what programs could still get counts as free: `MemAvailable`, not `MemFree`. */
function memoryUsedPercent(): number {
  let available = freemem();
  try {
    const match = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'));
    if (match !== null) available = Number(match[1]) * 1024;
  } catch {
    // Not Linux: the system's own count of free memory serves.
  }
  return 100 * (1 - available / totalmem());
}

/** The highest plausible temperature of the machine's thermal zones; `undefined` where it has none. */
function hottestCelsius(folder: string): number | undefined {
  let hottest: number | undefined;
  for (const zone of thermalZones(folder)) {
    try {
      const celsius = Number(readFileSync(`${folder}/${zone}/temp`, 'latin1')) / 1000;
      if (celsius > -50 && celsius < 150 && (hottest === undefined || celsius > hottest)) hottest = celsius;
    } catch {
      // A zone may exist and yet tell nothing: its sensor sleeps.
    }
  }
  return hottest;
}

function thermalZones(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.startsWith('thermal_zone'));
  } catch {
    return [];
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
