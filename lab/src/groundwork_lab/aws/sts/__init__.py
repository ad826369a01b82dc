"""Security Token Service with AWS' own rules: the caller's identity.

https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
"""
