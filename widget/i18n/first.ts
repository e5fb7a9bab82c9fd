/**
 * The few texts that a customer can see before the rest of the element has loaded, in every language, so that nothing is first shown in
 * another one. English is also the list of keys.
 */
const en = {
  connect: 'Connect your bank',
  opening: 'Opening…',
  legal: 'You sign in with your bank through Plaid. Your password is never shared with us.',
  required: 'Connect a bank account to continue.',
  retry: 'Try again',
  error_general: 'Something went wrong. Please try again.',
};

export type FirstStrings = Readonly<Record<keyof typeof en, string>>;

const FIRST: Record<string, FirstStrings> = {
  en,
  es: {
    connect: 'Conectar su banco',
    opening: 'Abriendo…',
    legal: 'Usted inicia sesión en su banco a través de Plaid. Nunca recibimos su contraseña.',
    required: 'Conecte una cuenta bancaria para continuar.',
    retry: 'Intentar de nuevo',
    error_general: 'Algo salió mal. Inténtelo de nuevo.',
  },
  fr: {
    connect: 'Connecter votre banque',
    opening: 'Ouverture…',
    legal: 'Vous vous connectez à votre banque via Plaid. Votre mot de passe ne nous est jamais communiqué.',
    required: 'Connectez un compte bancaire pour continuer.',
    retry: 'Réessayer',
    error_general: 'Un problème est survenu. Veuillez réessayer.',
  },
  pt: {
    connect: 'Conectar seu banco',
    opening: 'Abrindo…',
    legal: 'Você acessa seu banco pelo Plaid. Nunca recebemos sua senha.',
    required: 'Conecte uma conta bancária para continuar.',
    retry: 'Tentar novamente',
    error_general: 'Algo deu errado. Tente novamente.',
  },
  de: {
    connect: 'Bank verbinden',
    opening: 'Wird geöffnet …',
    legal: 'Sie melden sich über Plaid bei Ihrer Bank an. Ihr Passwort erfahren wir nie.',
    required: 'Verbinden Sie ein Bankkonto, um fortzufahren.',
    retry: 'Erneut versuchen',
    error_general: 'Etwas ist schiefgegangen. Bitte versuchen Sie es erneut.',
  },
  zh: {
    connect: '关联您的银行',
    opening: '正在打开…',
    legal: '您将通过 Plaid 登录您的银行。我们绝不会获知您的密码。',
    required: '请先关联银行账户，然后继续。',
    retry: '重试',
    error_general: '出了点问题，请重试。',
  },
  vi: {
    connect: 'Kết nối ngân hàng',
    opening: 'Đang mở…',
    legal: 'Quý vị đăng nhập ngân hàng qua Plaid. Chúng tôi không bao giờ biết mật khẩu của quý vị.',
    required: 'Vui lòng kết nối một tài khoản ngân hàng để tiếp tục.',
    retry: 'Thử lại',
    error_general: 'Đã xảy ra sự cố. Vui lòng thử lại.',
  },
  ar: {
    connect: 'اربط حسابك المصرفي',
    opening: 'جارٍ الفتح…',
    legal: 'تسجّل الدخول إلى مصرفك عبر Plaid، ولا نطّلع على كلمة مرورك أبدًا.',
    required: 'اربط حسابًا مصرفيًا للمتابعة.',
    retry: 'إعادة المحاولة',
    error_general: 'حدث خطأ ما. يُرجى المحاولة مرة أخرى.',
  },
};

/** The texts for a BCP 47 tag, by its first part; English for a language that we don't have. */
export function firstStrings(tag: string): FirstStrings {
  return FIRST[baseLanguage(tag)] ?? en;
}

export function baseLanguage(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? '';
}
