/**
 * Everything that is not needed to show a button: loaded when the customer comes near, beside Plaid's own script, which is many times larger.
 */
export { ConnectController } from './connect-controller.ts';
export { press } from './element-press.ts';
export { createSettings } from './element-settings.ts';
export { canEmbed, embeddedPlace } from './embedded-place.ts';
export { eventFor } from './event-for.ts';
export { fill, loadStrings } from './i18n/index.ts';
export { messageKey } from './i18n/messages.ts';
export { lateStyles } from './late.styles.ts';
export { createAwayStore } from './oauth-return.ts';
export { createSecretStore } from './secret-store.ts';
export { partsOf } from './view-parts.ts';
