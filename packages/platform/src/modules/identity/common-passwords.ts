/** Passwords of ten characters and more that guessers try first, in lower case; shorter ones are refused by length. */
const common = `
0123456789 1029384756 1111111111 1122334455 1234512345 12345678910 1234567890 12345678901 123456789012 1234567899
123456789a 123456789q 123456789abc 1234554321 1231231231 123123123123 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc
0987654321 9876543210 abc1234567 abcd123456 abcdefghij abcdefghijk administrator admin12345 admin123456 adminadmin admin@1234
aaaaaaaaaa asdfghjkl1 asdfghjkl; asdf123456 asdfasdfasdf baseball123 basketball changeme123 changemenow chocolate1 computer123
football123 freedom1234 gfhjkmgfhjkm hello12345 helloworld helloworld1 iloveyou123 iloveyou12 iloveyou1234 internet123
kubernetes letmein123 letmein1234 liverpool1 manchester master1234 michael123 monkey1234 mynewpassword p@ssw0rd123
p@ssword123 p@ssw0rd1234 pa55word123 pass123456 passw0rd12 passw0rd123 password01 password10 password11 password12
password123 password1234 password12345 password123456 password123! password1! password@1 password@123 passwordpassword
princess123 q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedcrfv qazwsx1234 qwer123456 qwerasdfzxcv qwerty1234 qwerty12345 qwerty123456
qwertyqwerty qwertyuiop qwertyuiop1 qwertyuiop123 qwertyuiop[] root123456 rootpassword secret1234 secretpassword shadow1234
slipway123 slipway1234 slipwayadmin sunshine12 sunshine123 superman123 superuser1 test123456 test1234567 testtesttest
trustno1234 welcome123 welcome1234 welcome2024 welcome2025 welcome2026 whatever12 woaini1314 woaini1314520 5201314520
zaq12wsxcde3 zaq1zaq1zaq1 zxcvbnm123 zxcvbnm1234 zxcvbnm,./ zxcvbnmasdfghjkl
`
const list: ReadonlySet<string> = new Set(common.trim().split(/\s+/u))

/** True for passwords on the list, and for ones made of a single repeated character. */
export function isCommonPassword(password: string): boolean {
  const folded = password.toLowerCase()
  return list.has(folded) || new Set(folded).size < 3
}
