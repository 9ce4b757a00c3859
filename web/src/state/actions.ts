import type { AlarmView, CommandView, DeviceView, ReadingView, RoomView } from '../../../src/api/types.ts';
import { DeviceLog } from './device-log.ts';
import type { Operator } from './operator.ts';
import type { ScreenStore } from './store.ts';
import type { DeviceEventView, TransitionView } from './types.ts';

/** The server refused, or could not be asked; the message is for people. */
class RequestError extends Error {
  /** HTTP status; 0 = no answer. */
  readonly status: number;

  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RequestError';
    this.status = status;
  }
}

const timeoutMs = 10_000;
const historyLimit = 500;

/**
 * What the operator can do. Every refusal ends as a notice on the screen: nothing fails without a word. What has changed
 * comes by the feed, in order: an answer that was overtaken by it must not bring back an older state.
 */
export class Actions {
  readonly #store: ScreenStore;
  readonly #operator: Operator;

  constructor(store: ScreenStore, operator: Operator) {
    this.#store = store;
    this.#operator = operator;
  }

  /** Acknowledges an alarm in the operator's name. True when it is done. */
  async acknowledge(alarm: AlarmView, comment: string): Promise<boolean> {
    const body = { by: this.#operator.name.peek(), ...(comment === '' ? {} : { comment }) };
    const result = await this.#try<AlarmView>(
      () => send(`alarms/${encodeURIComponent(alarm.id)}/acknowledge`, body),
      `Alarm of ${alarm.device} acknowledged`,
    );
    return result !== undefined;
  }

  async approve(device: DeviceView): Promise<void> {
    const by = this.#operator.name.peek();
    const path = `devices/${encodeURIComponent(device.id)}/approve`;
    await this.#try<DeviceView>(() => send(path, { by }), `${device.name} approved`);
  }

  async command(device: DeviceView, name: CommandView['name'], seconds: number | null): Promise<void> {
    const body = { name, by: this.#operator.name.peek(), ...(seconds === null ? {} : { seconds }) };
    const path = `devices/${encodeURIComponent(device.id)}/commands`;
    const result = await this.#try<CommandView>(() => send(path, body), '');
    if (result !== undefined) this.#store.addCommand(result);
  }

  /** Opens (litres per hour > 0) or closes (0) the leak in a room of the demo. */
  async leak(room: RoomView, litresPerHour: number): Promise<void> {
    const { site, detector } = room;
    const result = await this.#try<RoomView>(() => send('demo/leaks', { site, detector, litresPerHour }), '');
    if (result !== undefined) this.#store.setRooms([result]);
  }

  /** Makes the device's history the one that is shown, and fetches it. Called again after each new snapshot. */
  async openLog(deviceId: string): Promise<void> {
    const store = this.#store;
    const log = store.log.peek()?.id === deviceId ? store.log.peek() : new DeviceLog(deviceId);
    if (log === null) return;
    store.log.value = log;
    const path = `devices/${encodeURIComponent(deviceId)}`;
    await this.#try(async () => {
      const [readings] = await Promise.all([
        this.#loadReadings(path, deviceId),
        this.#loadEvents(log),
        this.#loadCommands(log),
      ]);
      log.addReadings(readings);
      log.loaded.value = true;
    }, '');
  }

  closeLog(): void {
    this.#store.log.value = null;
  }

  /** Fetches the open device's events again: the feed does not carry them. */
  async refreshEvents(): Promise<void> {
    const log = this.#store.log.peek();
    if (log === null) return;
    try {
      await this.#loadEvents(log);
    } catch {
      // nobody asked for this: the list stays as it is, and a lost server is told by the bar for stale data
    }
  }

  async loadRooms(): Promise<void> {
    const rooms = await this.#try(() => get<readonly RoomView[]>('demo/rooms'), '');
    if (rooms !== undefined) this.#store.setRooms(rooms);
  }

  /** What happened to an alarm, oldest first. */
  async transitions(alarmId: string): Promise<readonly TransitionView[] | undefined> {
    const path = `alarms/${encodeURIComponent(alarmId)}/transitions`;
    const rows = await this.#try(() => get<readonly TransitionView[]>(path), '');
    return rows?.toSorted((a, b) => a.at - b.at);
  }

  /** Each metric has a history of its own length: a device with many metrics shows as far back as one with one. */
  async #loadReadings(path: string, deviceId: string): Promise<readonly ReadingView[]> {
    const metrics = this.#store.devices.peek().get(deviceId)?.peek().values ?? [];
    const histories = await Promise.all(
      metrics.map(({ metric }) =>
        get<readonly ReadingView[]>(
          `${path}/readings?limit=${historyLimit}&metric=${encodeURIComponent(metric)}`,
        ),
      ),
    );
    return histories.flat();
  }

  async #loadEvents(log: DeviceLog): Promise<void> {
    log.events.value = (
      await get<readonly DeviceEventView[]>(`devices/${encodeURIComponent(log.id)}/events`)
    ).toSorted((a, b) => b.at - a.at);
  }

  async #loadCommands(log: DeviceLog): Promise<void> {
    log.addCommands(await get<readonly CommandView[]>(`commands?device=${encodeURIComponent(log.id)}`));
  }

  async #try<T>(act: () => Promise<T>, done: string): Promise<T | undefined> {
    try {
      const result = await act();
      if (done !== '') this.#store.notice.value = { kind: 'done', text: done };
      return result;
    } catch (error) {
      const text = error instanceof RequestError ? error.message : String(error);
      this.#store.notice.value = { kind: 'failed', text };
      return undefined;
    }
  }
}

function get<T>(path: string): Promise<T> {
  return request<T>(path, { method: 'GET' });
}

function send<T>(path: string, body: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  return request<T>(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}`, { ...init, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    throw new RequestError('The server does not answer. Try again when the data is live.', 0, {
      cause: error,
    });
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  throw new RequestError(messageIn(body) ?? `The server refused (${response.status}).`, response.status);
}

/** The API's errors are `{error, message}`. */
function messageIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('message' in body)) return undefined;
  return typeof body.message === 'string' ? body.message : undefined;
}
