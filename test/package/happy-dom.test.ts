// @vitest-environment happy-dom
import { testInTestDom } from './hosts/test-dom.ts';

testInTestDom('happy-dom');
