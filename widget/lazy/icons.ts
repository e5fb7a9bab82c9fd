import { icon } from '../element/icons.ts';

export const checkIcon = icon('m5 12.5 4.7 4.7L19 7.5');
export const clockIcon = icon('M12 5v7l5 3');
export const alertIcon = icon('M12 4v9M12 19v.1');
