import { render } from 'preact';
import { effect } from '@preact/signals';
import { App } from './components/app.tsx';
import { faviconPath, pageTitle } from './format.ts';
import { Actions } from './state/actions.ts';
import { LiveFeed } from './state/live.ts';
import { Operator } from './state/operator.ts';
import { followRoute } from './state/route.ts';
import { Screen, ScreenProvider } from './state/screen.ts';
import { ScreenStore } from './state/store.ts';
import type { ScreenClock } from './state/types.ts';

const clock: ScreenClock = {
  now: () => Date.now(),
  every: (periodMs, callback) => {
    const handle = setInterval(callback, periodMs);
    return () => clearInterval(handle);
  },
};

function start(): void {
  const store = new ScreenStore(clock.now());
  const operator = new Operator(storageOrNull());
  const screen = new Screen({
    store,
    operator,
    actions: new Actions(store, operator),
    route: followRoute(window),
  });
  clock.every(1000, () => (store.localNow.value = clock.now()));

  showInTab(store);
  followDevice(screen);
  followDemo(screen);
  const root = document.getElementById('app');
  if (root === null) throw new Error('index.html has no element with the id "app"');
  render(
    <ScreenProvider value={screen}>
      <App />
    </ScreenProvider>,
    root,
  );
  new LiveFeed({ store, clock, open: () => new EventSource('/api/v1/live') }).start();
}

/** Browsers that forbid storage throw already when it is looked at. */
function storageOrNull(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

/** The tab's title and icon say how many alarms nobody has seen. */
function showInTab(store: ScreenStore): void {
  const icon = document.getElementById('favicon');
  effect(() => {
    const unacknowledged = store.unacknowledged.value;
    const isStale = store.stale.value;
    document.title = pageTitle(unacknowledged, store.activeAlarms.value.length, isStale);
    icon?.setAttribute('href', faviconPath(unacknowledged, isStale));
  });
}

/** The history of the chosen device is fetched when it is chosen, and again after each loss of the feed. */
function followDevice({ route, store, actions }: Screen): void {
  effect(() => {
    const chosen = route.value;
    const isConnected = store.snapshots.value > 0;
    if (chosen.view !== 'device') actions.closeLog();
    else if (isConnected) void actions.openLog(chosen.id);
  });
}

/** The feed's snapshot has everything but the demo's rooms. */
function followDemo({ store, actions }: Screen): void {
  effect(() => {
    const isDemo = store.isDemo.value;
    if (store.snapshots.value > 0 && isDemo) void actions.loadRooms();
  });
}

start();
