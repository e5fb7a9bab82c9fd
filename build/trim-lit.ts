import type { Plugin } from 'vite';
import { isScript } from './environments.ts';
import { from } from './project.ts';

/**
 * A place in a module of Lit's, as it is published: the text `from`, or all from there to the text `to`, which stays.
 */
interface Cut {
  from: string;
  to?: string;
  instead?: string;
}

/** What the element does not use of Lit, by module. */
const CUTS: Readonly<Record<string, Readonly<Record<string, readonly Cut[]>>>> = {
  'lit-html/lit-html.js': {
    'what is lent to other packages of Lit': [{ from: 'j={M:h,', to: 'B=t.litHtmlPolyfill', instead: 'j=0,' }],
    'directives, and how they reach what is around them': [
      { from: 'function M(t,i,s=t,e){', to: 'class R{' },
      { from: 't=M(this,t,i),a(t)?', instead: 'a(t)?' },
      { from: 't=M(this,t,i,0),o=', instead: 'o=' },
      { from: 'r=M(this,e[s+n],i,n),r===E&&(r=this._$AH[n]),', instead: 'r=e[s+n],' },
      { from: 'get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}' },
      { from: 'get _$AU(){return this._$AM?._$AU??this._$Cv}' },
      { from: ',this._$Cv=e?.isConnected??!0}', to: '_$AI(t,i=this){a(t)', instead: '}' },
      { from: 'this._$AP?.(!1,!0,s);', instead: ';' },
      {
        from: '{constructor(t,i){this._$AV=[],this._$AN=void 0,this._$AD=t,this._$AM=i}',
        instead: '{constructor(t){this._$AV=[],this._$AD=t}',
      },
      { from: 'this.type=2,this._$AH=A,this._$AN=void 0,', instead: 'this._$AH=A,' },
      { from: 'this.type=1,this._$AH=A,this._$AN=void 0,', instead: 'this._$AH=A,' },
      { from: 'get tagName(){', to: 'constructor(t,i,s,e,h){this._$AH=A' },
      { from: 'setConnected(t){', to: 'class H{', instead: '}' },
      { from: 'constructor(){super(...arguments),this.type=3}' },
      { from: 'constructor(){super(...arguments),this.type=4}' },
      { from: 'constructor(t,i,s,e,h){super(t,i,s,e,h),this.type=5}' },
    ],
    'listeners that are no functions, have options, or are taken away': [
      {
        from: '_$AI(t,i=this){if((t=M(',
        to: 'class Z{',
        instead:
          '_$AI(t){this._$AH===A&&this.element.addEventListener(this.name,this),this._$AH=t}handleEvent(t){this._$AH.call(this.options.host,t)}}',
      },
    ],
    'lists that are no arrays': [{ from: 'u(t)||"function"==typeof t?.[Symbol.iterator]', instead: 'u(t)' }],
    'values in tags, in comments, and in the text of scripts, styles, text areas and titles': [
      { from: 'class Z{', to: 'const j=0' },
      { from: '"!--"===u[1]?c=_:void 0!==u[1]?c=m:' },
      { from: 'c===_||c===m?c=v:' },
      { from: ':6===r.type&&(i=new Z(h,this,t))', instead: ':0' },
      { from: 'else t.startsWith(o)&&(d.push({type:6,index:l}),r.removeAttribute(t));' },
      { from: 'if(y.test(r.tagName)){', to: '}else if(8===r.nodeType)' },
      { from: 'y.test(u[2])&&(n=RegExp("</"+u[2],"g")),' },
      { from: 'else{let t=-1;for(;-1!==(t=r.data.indexOf(', to: 'l++}}static', instead: '' },
    ],
    'templates of SVG and MathML, and those that were compiled': [
      { from: '2===i?"<svg>":3===i?"<math>":""', instead: '""' },
      { from: '+(2===i?"</svg>":3===i?"</math>":"")' },
      {
        from: 'if(this.el=S.createElement(f,e),',
        to: 'for(;null!==(r=P',
        instead: 'this.el=S.createElement(f,e),P.currentNode=this.el.content;',
      },
      { from: '"number"==typeof s?this._$AC(t):(', to: ';if(this._$AH?._$AD===e)', instead: 'this._$AC(t)' },
    ],
  },
  'lit-element/lit-element.js': {
    hydration: [{ from: ',s.litElementHydrateSupport?.({LitElement:i})' }],
    'what directives are told': [
      { from: ',this._$Do=void 0' },
      { from: 'this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),' },
      { from: 'this._$Do=e(', instead: 'e(' },
      { from: 'connectedCallback(){super.connectedCallback(),', to: 'render(){return r}' },
    ],
  },
  '@lit/reactive-element/reactive-element.js': {
    controllers: [
      { from: 'addController(t){', to: '_$E_(){' },
      { from: ',this._$EO?.forEach(t=>t.hostConnected?.())' },
      { from: 'this._$EO?.forEach(t=>t.hostDisconnected?.())' },
      { from: ',this._$EO?.forEach(t=>t.hostUpdate?.())' },
      { from: 'this._$EO?.forEach(t=>t.hostUpdated?.()),' },
    ],
    'decorators and initializers': [
      { from: 'Symbol.metadata??=', to: 'class y extends' },
      { from: 'const t=this[Symbol.metadata];', to: 'this._$Eh=new Map;for(' },
      { from: 'static addInitializer(t){', to: 'static get observed' },
      { from: ',void 0!==t.l&&(this.l=[...t.l])' },
      { from: ',this.constructor.l?.forEach(t=>t(this))' },
    ],
    'options of properties': [
      { from: 'case Object:case Array:t=null==t?t:JSON.stringify(t)' },
      { from: 'case Number:i=null===t?null:Number(t);break;case Object:case Array:', to: '}return i}}' },
      { from: '(void 0!==i.converter?.toAttribute?i.converter:u)', instead: 'u' },
      { from: '"function"==typeof t.converter?', to: ';this._$Em=e;const r', instead: 'u' },
      { from: '(i.hasChanged??f)(h,s)||', to: '))return;this.C(', instead: 'f(h,s)' },
      { from: 'r??this._$Ej?.get(e)??r', instead: 'r' },
      {
        from: '{useDefault:i,reflect:e,wrapped:h},r){',
        to: '}async _$EP(){',
        instead:
          '{reflect:e}){this._$AL.has(t)||(this.hasUpdated||(s=void 0),this._$AL.set(t,s)),!0===e&&this._$Em!==t&&(this._$Eq??=new Set).add(t)',
      },
      { from: 'const t=this.constructor.elementProperties;if(t.size>0)', to: '}let t=!1;' },
      { from: 's.state&&(s.attribute=!1),' },
      {
        from: ',!s.noAccessor){const i=Symbol(),h=',
        to: ';void 0!==h&&e(',
        instead: '){const i=Symbol(),h=this.getPropertyDescriptor(t,i,s)',
      },
      { from: 'b={attribute:!0,type:String,', to: ';class y extends', instead: 'b={}' },
      { from: 'c?c.emptyScript:""', instead: '""' },
      { from: 'this.prototype.hasOwnProperty(t)&&((s=Object.create(s)).wrapped=!0),' },
      {
        from: 'const{get:e,set:r}=h(',
        to: 'static getPropertyOptions',
        instead:
          'return{get(){return this[s]},set(e){const h=this[s];this[s]=e,this.requestUpdate(t,h,i)},configurable:!0,enumerable:!0}}',
      },
    ],
    'steps of an update, and ways to put it off': [
      {
        from: 't=this.shouldUpdate(s),t?(this.willUpdate(s)',
        to: '}catch(s){throw',
        instead: 'this.willUpdate(s),this.update(s),t=!0',
      },
      { from: 'shouldUpdate(t){return!0}' },
      { from: 'this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(t)),', instead: 'this.hasUpdated=!0,' },
      { from: 'firstUpdated(t){}' },
      { from: 'const t=this.scheduleUpdate();return null!=t&&await t,', instead: 'this.performUpdate();return ' },
      { from: 'scheduleUpdate(){return this.performUpdate()}' },
      { from: 'return this.getUpdateComplete()}getUpdateComplete(){' },
    ],
    'lists of styles': [
      { from: 'const i=[];if(Array.isArray(s)){', to: 'static _$Eu', instead: 'return void 0===s?[]:[s]}' },
    ],
  },
  '@lit/reactive-element/css-tag.js': {
    'a polyfill, and styles that are put together': [
      { from: '(void 0===t.ShadyCSS||t.ShadyCSS.nativeShadow)&&' },
      { from: 'constructor(t,e,o){if(', to: 'get styleSheet()', instead: 'constructor(t){this.cssText=t}' },
      {
        from: 'let t=this.o;const s=this.t;',
        to: '}const r=t=>',
        instead: 'let t=this.o;return e&&void 0===t&&(this.o=t=new CSSStyleSheet).replaceSync(this.cssText),t}',
      },
      { from: 't instanceof CSSStyleSheet?t:t.styleSheet', instead: 't.styleSheet' },
    ],
  },
};

/** What would need something of the above. */
const NEEDED = /lit\/(directive|async-directive)|\b(svg|mathml)`|<(script|style|textarea|title)\b/;

/**
 * @param id the module's path or address
 * @returns a module of Lit's without what the element does not use; undefined: not such a module
 * @throws Error when it is written in another way than these cuts expect
 */
export function trimmedLit(id: string, code: string): string | undefined {
  const name = Object.keys(CUTS).find((module) => id.endsWith(`/${module}`));
  if (!name) return undefined;
  let left = code;
  for (const [what, cuts] of Object.entries(CUTS[name] ?? {})) {
    for (const { from: text, to, instead = '' } of cuts) {
      const start = left.indexOf(text);
      const end = to === undefined ? start + text.length : left.indexOf(to, start);
      if (start < 0 || end < 0 || left.includes(text, start + 1))
        throw new Error(`${name}: ${what}: not once there: ${text}`);
      left = left.slice(0, start) + instead + left.slice(end);
    }
  }
  return left;
}

/**
 * Leaves out of the script what the element does not use of Lit, and no bundler can know that it does not. Packages
 * that are installed use Lit as it is. A module of Lit's that is written in another way stops the build.
 */
export function trimLit(): Plugin {
  return {
    name: 'finix-bank-connect:trim-lit',
    applyToEnvironment: isScript,
    transform(code, id) {
      const needed = id.startsWith(from('widget')) && NEEDED.exec(code);
      if (needed) this.error(`What ${needed[0]} needs of Lit is not in the script (build/trim-lit.ts).`);
      try {
        const trimmed = trimmedLit(id, code);
        return trimmed === undefined ? null : { code: trimmed, map: null };
      } catch (error) {
        this.error(String(error));
      }
    },
  };
}
