import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { DeviceView } from '../../../src/api/types.ts';
import { useScreen } from '../state/screen.ts';
import { LocalTime } from './times.tsx';

const shownEvents = 50;
/** A device in trouble makes events faster than anybody reads: they are fetched again at most this often. */
const refreshDelayMs = 1000;

/** What sequence supervision and the registry noticed about a device, newest first. */
export function EventList({ device }: { readonly device: DeviceView }): JSX.Element {
  const { store, actions } = useScreen();
  const { missing, repeated, resets } = device.counts;
  useEffect(() => {
    const timer = setTimeout(() => void actions.refreshEvents(), refreshDelayMs);
    return () => clearTimeout(timer);
  }, [device.state, device.registration, device.ip, missing, repeated, resets]);
  const events = store.log.value?.events.value ?? [];
  return (
    <section>
      <h3>Events</h3>
      {events.length === 0 && <p class="empty">Nothing has been noticed.</p>}
      <ol class="events">
        {events.slice(0, shownEvents).map((event) => (
          <li key={`${event.at} ${event.kind} ${event.detail}`}>
            <LocalTime at={event.at} /> <strong>{event.kind}</strong> {event.detail}
          </li>
        ))}
      </ol>
    </section>
  );
}
