import type { JSX } from 'preact';
import { summaryText } from '../state/overview.ts';
import { useScreen } from '../state/screen.ts';
import { OperatorButton } from './question-dialog.tsx';

/** Name of the system, the state of everything in one line, the pages, and who sits here. */
export function Header(): JSX.Element {
  const { store, route } = useScreen();
  const status = store.status.value;
  const { view } = route.value;
  const alarmCount = store.activeAlarms.value.length;
  return (
    <header class="header">
      <a class="brand" href="#/">
        <Lamp />
        <span>
          <strong>Davylamp</strong>
          {status !== null && (
            <small>
              {status.tenant} · {status.name}
            </small>
          )}
        </span>
      </a>
      <p class="summary" data-testid="summary">
        {store.snapshots.value === 0 ? 'No data yet' : summaryText(store.counts.value)}
      </p>
      <nav class="pages" aria-label="Pages">
        <a href="#/" {...(view === 'overview' ? { 'aria-current': 'page' as const } : {})}>
          Detectors
        </a>
        <a href="#/alarms" {...(view === 'alarms' ? { 'aria-current': 'page' as const } : {})}>
          Alarms{alarmCount > 0 ? ` (${alarmCount})` : ''}
        </a>
      </nav>
      <OperatorButton />
      {store.isDemo.value && (
        <p class="demo-note">
          <strong>Demo: virtual detectors.</strong> <span>No real gas is measured here.</span>
        </p>
      )}
    </header>
  );
}

function Lamp(): JSX.Element {
  return (
    <svg class="lamp" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path d="M12 4h8M16 4V1M10 7h12M11 7v13m10-13v13M9 20h14v8a2 2 0 0 1-2 2H11a2 2 0 0 1-2-2z" />
      <path class="flame" d="M16 10c3 4 3 5 3 6a3 3 0 0 1-6 0c0-1 0-2 3-6z" />
    </svg>
  );
}
