import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { signal, type ReadonlySignal } from '@preact/signals';
import type { AlarmView } from '../../../src/api/types.ts';
import type { Actions } from './actions.ts';
import type { Operator } from './operator.ts';
import type { Route } from './route.ts';
import type { ScreenStore } from './store.ts';

/** What the dialog is asking for. `act` runs once the operator's name is known. */
export type Question =
  | { readonly kind: 'name'; readonly act: () => void }
  | { readonly kind: 'acknowledge'; readonly alarm: AlarmView };

/** Everything that a component may need, made once in `main.tsx`. */
export class Screen {
  readonly store: ScreenStore;
  readonly actions: Actions;
  readonly operator: Operator;
  readonly route: ReadonlySignal<Route>;
  readonly question = signal<Question | null>(null);

  constructor(parts: Pick<Screen, 'store' | 'actions' | 'operator' | 'route'>) {
    this.store = parts.store;
    this.actions = parts.actions;
    this.operator = parts.operator;
    this.route = parts.route;
  }

  /** Acknowledges at once, in the name that is known; asks for the name first where it is not. */
  acknowledge(alarm: AlarmView): void {
    if (this.operator.name.peek() === '') this.question.value = { kind: 'acknowledge', alarm };
    else void this.actions.acknowledge(alarm, '');
  }

  /** Runs `act` once there is a name to write beside it. */
  asOperator(act: () => void): void {
    if (this.operator.name.peek() === '') this.question.value = { kind: 'name', act };
    else act();
  }
}

const context = createContext<Screen | null>(null);

/** Hands the screen to every component below. */
export const ScreenProvider = context.Provider;

export function useScreen(): Screen {
  const screen = useContext(context);
  if (screen === null) throw new Error('a component was drawn outside the ScreenProvider');
  return screen;
}
