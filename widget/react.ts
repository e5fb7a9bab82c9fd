import {
  createElement,
  type ForwardRefExoticComponent,
  forwardRef,
  type HTMLAttributes,
  type RefAttributes,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { define, TAG } from './define.ts';
import type { FinixBankConnect as FinixBankConnectElement } from './finix-bank-connect.ts';
import type { FbcEventMap } from './lazy/events.ts';

export type * from './contract.ts';
export type * from './element/events.ts';
export type { ElementError, ElementErrorCode, LinkTrace } from './errors.ts';
export type { ElementStatus } from './flow/state.ts';
export type * from './lazy/events.ts';
export type { FinixBankConnectElement };

const EVENTS = {
  onOpen: 'fbc-open',
  onStep: 'fbc-step',
  onConnected: 'fbc-connected',
  onPending: 'fbc-pending',
  onNeedsRepair: 'fbc-needs-repair',
  onCanceled: 'fbc-canceled',
  onError: 'fbc-error',
  onChange: 'change',
} as const;

const PROPERTIES = [
  'endpoint',
  'clientSecret',
  'fetchClientSecret',
  'backend',
  'mode',
  'name',
  'required',
  'disabled',
  'firstName',
  'lastName',
  'email',
  'strings',
  'nonce',
] as const;

// `theme` stays an attribute, so that what a server renders has it.
type ElementProps = Partial<Pick<FinixBankConnectElement, (typeof PROPERTIES)[number] | 'theme'>>;

// The button, the gap and two lines under it, in pixels: what the element reserves from 300 px on.
const RESERVED = 100;
// The same with the search of mode `embedded` in the button's place.
const RESERVED_SEARCH = 404;

type EventProps = {
  [Prop in keyof typeof EVENTS]?: (
    event: (FbcEventMap & { change: Event })[(typeof EVENTS)[Prop]] & {
      readonly currentTarget: FinixBankConnectElement;
    },
  ) => void;
};

/** Elements whose events are passed on. Each belongs to one component, which may mount more than once. */
const listening = new WeakSet<Element>();

// On a server neither runs, and React 18 warns of the one that is meant to run before the page is painted.
const useEarlyEffect = typeof document === 'undefined' ? useEffect : useLayoutEffect;

/**
 * What the element has as properties and events, and everything that any element has. A function that is new in every
 * render is no reason to start over, `fetchClientSecret` included: the one of the last render is called.
 */
export interface FinixBankConnectProps
  extends ElementProps,
    EventProps,
    Omit<HTMLAttributes<FinixBankConnectElement>, keyof ElementProps | keyof EventProps> {}

/**
 * `<finix-bank-connect>` for React 18 and 19. Slots are children with a `slot`; the `ref` is the element itself.
 *
 * @example
 * <FinixBankConnect endpoint="https://connect.merchant.example" fetchClientSecret={fetchClientSecret}
 *   onConnected={({ detail }) => setBank(detail.connections[0])} />
 */
export const FinixBankConnect: ForwardRefExoticComponent<
  FinixBankConnectProps & RefAttributes<FinixBankConnectElement>
> = forwardRef<FinixBankConnectElement, FinixBankConnectProps>((props, ref) => {
  const element = useRef<FinixBankConnectElement>(null);
  const latest = useRef(props);
  const set = useRef<Record<string, unknown>>({});
  const isMounted = useRef(false);
  const [isDefined, setDefined] = useState(false);
  useImperativeHandle(ref, () => element.current as FinixBankConnectElement, []);

  // React 18 knows attributes only, and both would start the element before it has all it needs; so properties are set
  // here, and only then the tag is defined. On a server this does not run, and the tag waits for the page.
  useEarlyEffect(() => {
    latest.current = props;
    const target = element.current as unknown as Record<string, unknown>;
    for (const name of PROPERTIES) {
      const value = props[name];
      if (value !== set.current[name]) target[name] = value ?? (name === 'nonce' ? '' : null);
      set.current[name] = value;
    }
    define();
    setDefined(true);
  });

  // React hides a part of the page that suspends, or that is an inactive `Activity`, and undoes its effects. Link stays
  // open in front of it, so the page must still learn that a bank is connected.
  useEarlyEffect(() => {
    isMounted.current = true;
    const target = element.current;
    if (target && !listening.has(target)) {
      listening.add(target);
      for (const [prop, type] of Object.entries(EVENTS) as [keyof typeof EVENTS, string][]) {
        target.addEventListener(type, (event) => {
          const listener = latest.current[prop] as ((event: Event) => void) | undefined;
          if (isMounted.current || target.isConnected) listener?.(event);
        });
      }
    }
    return () => {
      isMounted.current = false;
    };
  }, []);

  const rest: Record<string, unknown> = {};
  const ours: readonly string[] = [...PROPERTIES, ...Object.keys(EVENTS), 'className'];
  for (const [name, value] of Object.entries(props)) if (!ours.includes(name)) rest[name] = value;
  // React 18 would write `classname`.
  if (props.className) rest['class'] = props.className;
  // Until the tag is defined it has no size of its own, in what a server renders least of all.
  if (!isDefined && !props.hidden) {
    const minBlockSize = props.mode === 'embedded' ? RESERVED_SEARCH : RESERVED;
    rest['style'] = { display: 'block', minBlockSize, ...props.style };
  }
  return createElement(TAG, { ...rest, ref: element });
});

FinixBankConnect.displayName = 'FinixBankConnect';
