"""The tagging API with AWS' own rules.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/Welcome.html
"""
