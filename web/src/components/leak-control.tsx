import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import type { RoomView } from '../../../src/api/types.ts';
import { formatNumber } from '../format.ts';
import { useScreen } from '../state/screen.ts';

const leaks = [
  { litresPerHour: 5, name: '5 l/h · pinhole' },
  { litresPerHour: 150, name: '150 l/h · burner left open' },
  { litresPerHour: 2000, name: '2,000 l/h · pipe break' },
] as const;

/** The bar ends here: what matters happens around the set-points. */
const fullScaleLel = 50;
const firstSetPoint = 10;
const secondSetPoint = 20;

/** The demo's room of a virtual detector: how much gas is in it, and a tap. `isNamed`: bears the hooks for tests. */
export function LeakControl(props: {
  readonly deviceId: string;
  readonly isNamed: boolean;
}): JSX.Element | null {
  const { store, actions } = useScreen();
  const rate = useSignal<number>(leaks[1].litresPerHour);
  const room = store.rooms.value.get(props.deviceId);
  if (room === undefined || !store.isDemo.value) return null;
  const hook = (name: string): object =>
    props.isNamed ? { 'data-testid': `${name}-${props.deviceId}` } : {};
  const isOpen = room.leakLitresPerHour > 0;
  return (
    <div class="leak">
      <LelBar room={room} />
      {isOpen ? (
        <div class="leak-row">
          <span class="leak-open">Leak open: {formatNumber(room.leakLitresPerHour, 0)} l/h</span>
          <button type="button" {...hook('leak-close')} onClick={() => void actions.leak(room, 0)}>
            Close leak
          </button>
        </div>
      ) : (
        <div class="leak-row">
          <select
            aria-label={`Size of the leak at ${room.detector}, ${room.site}`}
            value={rate.value}
            {...hook('leak-rate')}
            onChange={(event) => (rate.value = Number(event.currentTarget.value))}
          >
            {leaks.map((leak) => (
              <option key={leak.litresPerHour} value={leak.litresPerHour}>
                {leak.name}
              </option>
            ))}
          </select>
          <button type="button" {...hook('leak-open')} onClick={() => void actions.leak(room, rate.value)}>
            Open leak
          </button>
        </div>
      )}
    </div>
  );
}

/** Concentration in % LEL against the two usual set-points. */
function LelBar({ room }: { readonly room: RoomView }): JSX.Element {
  const lel = room.percentLel;
  const level = lel >= secondSetPoint ? 'second' : lel >= firstSetPoint ? 'first' : 'below';
  const words = { below: '', first: ', above A1', second: ', above A2' }[level];
  return (
    <div class="lel">
      <span class="lel-text" title={`${formatNumber(room.concentrationPpm, 0)} ppm ${room.gas} in the room`}>
        In the room: {formatNumber(lel, 1)} % LEL{words}
      </span>
      <svg class={`lel-bar lel-${level}`} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect class="lel-ground" width="100" height="10" />
        <rect class="lel-level" width={(100 * Math.min(lel, fullScaleLel)) / fullScaleLel} height="10" />
        <path
          class="lel-mark"
          d={`M${(100 * firstSetPoint) / fullScaleLel} 0v10M${(100 * secondSetPoint) / fullScaleLel} 0v10`}
        />
      </svg>
      <div class="lel-names" aria-hidden="true">
        <span>A1</span>
        <span>A2</span>
      </div>
    </div>
  );
}
