import '../../../widget/index.ts';
import { SimulatedLink } from '../../widget/helpers/simulated-link.ts';

SimulatedLink.install();
