"""Security Token Service with AWS' own rules: who calls.

https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
"""
