import { signal, type ReadonlySignal } from '@preact/signals';

/** Which page the address bar asks for. */
export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'alarms' }
  | { readonly view: 'device'; readonly id: string };

/** Reads `#/`, `#/alarms` and `#/devices/<id>`; whatever else is the overview. */
export function parseRoute(hash: string): Route {
  const [, first, second] = hash.replace(/^#/, '').split('/');
  if (first === 'alarms') return { view: 'alarms' };
  if (first === 'devices' && second !== undefined && second !== '') {
    try {
      return { view: 'device', id: decodeURIComponent(second) };
    } catch {
      return { view: 'overview' }; // a broken percent sign
    }
  }
  return { view: 'overview' };
}

/** The address of a device's page. */
export function deviceHash(id: string): string {
  return `#/devices/${encodeURIComponent(id)}`;
}

/** Follows the address bar, so that the back button works. */
export function followRoute(target: Window): ReadonlySignal<Route> {
  const route = signal(parseRoute(target.location.hash));
  target.addEventListener('hashchange', () => (route.value = parseRoute(target.location.hash)));
  return route;
}
