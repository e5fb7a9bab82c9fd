// @vitest-environment jsdom
import { testInTestDom } from './hosts/test-dom.ts';

testInTestDom('jsdom');
