// app/connect/[...path]/route.ts. PUBLIC_URL ends with the path: https://shop.example/connect
import { connect } from '@/lib/connect-server';

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

const handle = (request: Request) => connect.fetch(request);

export { handle as DELETE, handle as GET, handle as OPTIONS, handle as POST };
