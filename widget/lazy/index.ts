/**
 * Everything that is not needed to show a button: loaded when the customer comes near, beside Plaid's own script, which is many times larger.
 */
export { ConnectController } from '../flow/controller.ts';
export { en, fill, KEYS } from '../i18n/index.ts';
export { messageKey } from '../i18n/messages.ts';
export { createAwayStore } from '../link/oauth-return.ts';
export { createSecretStore } from '../session/client-secret-store.ts';
export { eventFor } from './create-event.ts';
export { canEmbed, embeddedPlace } from './embedded-container.ts';
export { namesOf } from './names.ts';
export { press } from './press.ts';
export { createSettings } from './settings.ts';
export { lateStyles } from './styles.ts';
export { partsOf } from './view-parts.ts';
