/**
 * A place in a module of Lit's, as it is published: the text `from`, or all from there to the text `to`, which stays.
 */
export interface Cut {
  from: string;
  to?: string;
  instead?: string;
}

/** What the element does not use of Lit, by module. */
export const CUTS: Readonly<Record<string, Readonly<Record<string, readonly Cut[]>>>> = {
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
    'attributes in single quotes, and those without quotes before a slash': [
      { from: 'c===$||c===g?c=p:(c=p,n=void 0)', instead: 'c=p' },
      { from: "'\"'===u[3]?$:g", instead: '$' },
      { from: 'c=n??v,', instead: 'c=v,' },
      { from: 'void 0===u[1]?d=-2:' },
      { from: 'const x=c===p&&t[i+1].startsWith("/>")?" ":"";' },
      { from: '+o+x):s+o+(-2===d?i:x)', instead: '+o):s+o' },
    ],
    'what parts know of the parts around them': [
      { from: '_$AI(t,i=this){a(t)?', instead: '_$AI(t){a(t)?' },
      { from: '_$AI(t,i=this,s,e){const h=', instead: '_$AI(t,i,s){const h=' },
      { from: 'o&&!e&&this.j(t)', instead: 'o&&this.j(t)' },
      { from: 'this._$AM=s,' },
      { from: 'this._$AM=e,' },
      {
        from: ':1===r.type?i=new r.ctor(h,r.name,r.strings,this,t):0',
        instead: ':i=new r.ctor(h,r.name,r.strings,this,t)',
      },
      {
        from: 'void 0!==s&&(void 0!==s.strings?(s._$AI(t,s,i),i+=s.strings.length-2):s._$AI(t[i])),',
        instead: 'void 0!==s.strings?(s._$AI(t,s,i),i+=s.strings.length-2):s._$AI(t[i]),',
      },
      { from: 'const s=i(t).nextSibling;i(t).remove()', instead: 'const s=t.nextSibling;t.remove()' },
    ],
    'values that leave what is there': [
      { from: 't!==this._$AH&&t!==E&&this._(t)', instead: 't!==this._$AH&&this._(t)' },
      { from: 'o=!a(t)||t!==this._$AH&&t!==E,', instead: 'o=!a(t)||t!==this._$AH,' },
    ],
    'the kinds of templates': [
      {
        from: 'x=t=>(i,...s)=>({_$litType$:t,strings:i,values:s}),b=x(1),w=x(2),T=x(3)',
        instead: 'b=(i,...s)=>({_$litType$:1,strings:i,values:s}),w=0,T=0',
      },
    ],
    'other documents': [{ from: '(t?.creationScope??l).importNode', instead: 'l.importNode' }],
    'comments, tags with computed names, and white space that only other templates have': [
      {
        from: 'f="[ \\t\\n\\f\\r]",v=/<(?:(!--',
        to: ',g=/',
        instead: 'v=/<\\/?\\w[^>\\s]*/g,p=/>|\\s(?:([^\\s"\'>=/]+)(\\s*=\\s*(?:[^\\s"\'`<>=]|(")|))|$)/g',
      },
      { from: 'void 0!==u[2]?(c=p):void 0!==u[3]&&(c=p)', instead: 'c=p' },
    ],
    'markers that no template could have by chance': [
      { from: 'o=`lit$', to: ',l=document', instead: 'o="lit$",n="?lit$",r="<?lit$>"' },
    ],
    'values of properties': [
      { from: 'class I extends H{', to: 'class L extends H' },
      { from: '/([.?@])?(.*)/', instead: '/([?@])?(.*)/' },
      { from: '"."===e[1]?I:' },
    ],
    'the words of an error, and longer ways to ask': [
      {
        from: '!t.hasOwnProperty("raw"))throw Error("invalid template strings array")',
        instead: '!t.raw)throw TypeError()',
      },
      { from: 'null===t||"object"!=typeof t&&"function"!=typeof t', instead: 'Object(t)!==t' },
      { from: 'if(r.hasAttributes())' },
      { from: 'd=t=>u(t),' },
      { from: ':d(t)?', instead: ':u(t)?' },
      { from: 'type:1,' },
    ],
    'a place that is not in the container': [
      { from: '=s?.renderBefore??i;let h=e._$litPart$', instead: '=s?.renderBefore??null;let h=i._$litPart$' },
      { from: 'const t=s?.renderBefore??null;e._$litPart$=', instead: 'i._$litPart$=' },
      { from: 'k(i.insertBefore(c(),t),t,void 0,s??{})', instead: 'k(i.insertBefore(c(),e),e,void 0,s)' },
    ],
  },
  'lit-element/lit-element.js': {
    'a sign for other packages': [{ from: 'i._$litElement$=!0,' }],
    hydration: [{ from: ',s.litElementHydrateSupport?.({LitElement:i})' }],
    'what directives are told': [
      { from: ',this._$Do=void 0' },
      { from: 'this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),' },
      { from: 'this._$Do=e(', instead: 'e(' },
      { from: 'connectedCallback(){super.connectedCallback(),', to: 'render(){return r}' },
    ],
    'an element that renders nothing': [{ from: 'render(){return r}' }],
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
    'names that are symbols, or that another minifier would change': [
      { from: ',s=[...r(t),...o(t)];for(const i of s)', instead: ';for(const i of r(t))' },
      { from: '"string"==typeof t?t.toLowerCase():void 0', instead: 't.toLowerCase()' },
      { from: 'd=(t,s)=>t,', to: 'u={', instead: '' },
      {
        from: 'if(this.hasOwnProperty(d("elementProperties")))',
        instead: 'if(this.hasOwnProperty("elementProperties"))',
      },
      { from: 'if(this.hasOwnProperty(d("finalized")))', instead: 'if(this.hasOwnProperty("finalized"))' },
      { from: 'd("properties")', instead: '"properties"' },
      {
        from: 'y[d("elementProperties")]=new Map,y[d("finalized")]=',
        instead: 'y.elementProperties=new Map,y.finalized=',
      },
    ],
    'properties that are made one by one, and new values that are given ahead': [
      {
        from: 'createProperty(t,s=b){if(this._$Ei(),this.elementProperties.set(t,s)){const i=Symbol(),h=this.getPropertyDescriptor(t,i,s);void 0!==h&&e(this.prototype,t,h)}}',
        instead:
          'createProperty(t,s){this.elementProperties.set(t,s),e(this.prototype,t,this.getPropertyDescriptor(t,Symbol(),s))}',
      },
      {
        from: 'requestUpdate(t,s,i,e=!1,h){if(void 0!==t){const r=this.constructor;if(!1===e&&(h=this[t]),i??=',
        instead: 'requestUpdate(t,s,i){if(void 0!==t){const r=this.constructor,h=this[t];if(i??=',
      },
    ],
    'what the element has of its own': [
      { from: 'enableUpdating(t){}' },
      { from: 'willUpdate(t){}' },
      { from: 'updated(t){}' },
      { from: 'y.elementStyles=[],y.shadowRootOptions={mode:"open"},' },
    ],
    'attributes of other kinds': [
      { from: 'if(void 0!==e&&!0===i.reflect){', to: 'const h=u.toAttribute', instead: '{' },
      {
        from: 'const t=i.getPropertyOptions(e),h=u;this._$Em=e;const r=h.fromAttribute(s,t.type);this[e]=r,',
        instead: 'this._$Em=e,this[e]=u.fromAttribute(s,i.getPropertyOptions(e).type),',
      },
      { from: '"string"==typeof i?i:t.toLowerCase()', instead: 'i??t.toLowerCase()' },
    ],
    'what a class may have before it is finished': [
      { from: 'static _$Ei(){if(this.has', to: 'static finalize(){' },
      {
        from: 'if(this.finalized=!0,this._$Ei(),',
        instead:
          'this.finalized=!0;const e=n(this);if(e.finalize(),this.elementProperties=new Map(e.elementProperties),',
      },
    ],
    'steps that are one': [
      { from: '!(f(h,s))', instead: 'Object.is(h,s)' },
      {
        from: ',e(this.prototype,t,this.getPropertyDescriptor(t,Symbol(),s))}static getPropertyDescriptor(t,s,i){return{',
        instead: ';const i=Symbol();e(this.prototype,t,{',
      },
      {
        from: 'get(){return this[s]},set(e){const h=this[s];this[s]=e,this.requestUpdate(t,h,i)}',
        instead: 'get(){return this[i]},set(e){const h=this[i];this[i]=e,this.requestUpdate(t,h,s)}',
      },
      { from: 'enumerable:!0}}static getPropertyOptions', instead: 'enumerable:!0})}static getPropertyOptions' },
      { from: '{if(this.renderRoot??=this.createRenderRoot(),this._$Ep){', instead: '{if(this._$Ep){' },
      { from: 'this.enableUpdating(!0)', instead: 'this.enableUpdating()' },
      {
        from: 't&&this._$AE(s)}_$AE(t){this.hasUpdated=!0,this.updated(t)}',
        instead: 't&&(this.hasUpdated=!0,this.updated(s))}',
      },
      { from: 'this._$Ev()}_$Ev(){', instead: '' },
      { from: ',this._$E_(),this.requestUpdate()}_$E_(){const', instead: ';const' },
      { from: 'this._$Ep=t)}', instead: 'this._$Ep=t),this.requestUpdate()}' },
    ],
    'attributes of types that no property has': [
      { from: 'const h=u.toAttribute(s,i.type)', instead: 'const h=i.type===Boolean?s?"":null:s' },
      {
        from: 'u.fromAttribute(s,i.getPropertyOptions(e).type)',
        instead: 'i.getPropertyOptions(e).type===Boolean?null!==s:s',
      },
      { from: 'u={toAttribute(t,s){', to: 'f=(t,s)', instead: 'u=0,' },
      { from: 'this._$Eh&&[', instead: '[' },
    ],
    'a step that is taken in one place': [
      {
        from: 'this.C(t,s,i)',
        instead:
          'this._$AL.has(t)||this._$AL.set(t,this.hasUpdated?s:void 0),!0===i.reflect&&this._$Em!==t&&(this._$Eq??=new Set).add(t)',
      },
      { from: 'C(t,s,{reflect:e}){', to: 'async _$EP(){' },
    ],
    'lists of styles': [
      { from: 'this.finalizeStyles(this.styles)', instead: '[this.styles]' },
      { from: 'static finalizeStyles(s){', to: 'static _$Eu' },
    ],
  },
  '@lit/reactive-element/css-tag.js': {
    'a polyfill, and styles that are put together': [
      {
        from: 'e=t.ShadowRoot&&(void 0===t.ShadyCSS||t.ShadyCSS.nativeShadow)&&',
        to: ',s=Symbol()',
        instead: 'e="adoptedStyleSheets"in Document.prototype',
      },
      { from: 'constructor(t,e,o){if(', to: 'get styleSheet()', instead: 'constructor(t){this.cssText=t}' },
      {
        from: 'let t=this.o;const s=this.t;',
        to: '}const r=t=>',
        instead: 'let t=this.o;return void 0===t&&(this.o=t=new CSSStyleSheet).replaceSync(this.cssText),t}',
      },
      { from: 't instanceof CSSStyleSheet?t:t.styleSheet', instead: 't.styleSheet' },
      { from: '"string"==typeof t?t:t+"",void 0,s', instead: 't' },
    ],
  },
};
